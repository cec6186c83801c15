"""Detects organizations that manifests outside a run's selection declare too.

A connection that the selected manifests do not declare may be declared in another one, so `prune`
checks all manifests of the project before it deletes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.manifests import load_manifests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredOrganization, Organization
    from reconciler.manifests import Loaded, Project
    from reconciler.workflow.selection import SelectedManifests

_NO_MANIFESTS: Final = "no-manifests"


@dataclass(frozen=True, slots=True)
class OtherManifests:
    """Where each organization of a project is declared, by the names in the manifests.

    ``unreadable`` says why some of the manifests cannot be read; it is empty if all can.
    """

    locations: Mapping[str, Sequence[SourceLocation]]
    unreadable: str = ""

    @classmethod
    def of(cls, manifests: Loaded) -> OtherManifests:
        """Index all manifests of a project."""
        locations = defaultdict(list)
        for organization in manifests.state.organizations:
            for name in organization.names:
                locations[name].append(organization.location)
        return cls(locations, _unreadable(manifests))

    def declared_elsewhere_error(
        self, desired: DesiredOrganization, organization: Organization
    ) -> str | None:
        """Return why undeclared connections must not be deleted, or None if no other manifest matters."""
        for name in sorted(organization.names | {desired.reference}):
            for location in self.locations.get(name, ()):
                if location != desired.location:
                    return (
                        f"{location} declares it too; put all connections of an organization into one "
                        "document"
                    )
        return self.unreadable or None


def all_manifests(
    selected: SelectedManifests, project: Project, variables: Mapping[str, str]
) -> OtherManifests:
    """Return all manifests of a project; they are read only if the run has selected some of them."""
    loaded = selected.loaded if selected.is_whole else load_manifests((), project, variables)
    return OtherManifests.of(loaded)


def _unreadable(manifests: Loaded) -> str:
    errors = [error for error in manifests.diagnostics if error.is_error and error.code != _NO_MANIFESTS]
    if not errors:
        return ""
    place = f" ({errors[0].location})" if errors[0].location else ""
    return f"another manifest that may declare it has errors: {errors[0].summary}{place}; correct that first"
