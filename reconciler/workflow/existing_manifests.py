"""Compares the manifests that exist before an import with live state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.matching import match_connections
from reconciler.core.planner import Choices, plan_organization
from reconciler.core.secret import SecretReference
from reconciler.manifests import find_manifests, read_manifests, unread_files
from reconciler.manifests.export import why_organization_undeclarable, write_connections
from reconciler.manifests.export_names import Variable
from reconciler.workflow.past_manifests import find_past_manifests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic
    from reconciler.core.matching import Matching
    from reconciler.core.secret import Locator
    from reconciler.core.state import DesiredOrganization, LiveOrganization, Organization
    from reconciler.manifests import Project
    from reconciler.manifests.export import ConnectionBlocks
    from reconciler.manifests.export_names import VariableNames


class ExistingManifests:
    """The manifests of a project, by organization.

    ``broken`` is what files with errors declare, or declared: no new manifest may be written for it.
    ``errors`` are those of the files. ``unknown``: nobody knows what one of them declares.
    """

    def __init__(
        self,
        manifests: Iterable[DesiredOrganization] = (),
        broken: Iterable[DesiredOrganization] = (),
        errors: Iterable[Diagnostic] = (),
        *,
        unknown: bool = False,
    ) -> None:
        self.manifests = tuple(manifests)
        self.broken = tuple(broken)
        self.errors = tuple(errors)
        self.unknown = unknown
        self._by_id: dict[str, DesiredOrganization] = {}
        self._by_name: dict[str, DesiredOrganization] = {}
        for manifest in self.manifests:
            self._by_id.setdefault(manifest.organization_id or manifest.reference, manifest)
            if manifest.organization_id is None:
                self._by_name.setdefault(manifest.reference, manifest)

    def declaring(self, organization: Organization) -> DesiredOrganization | None:
        """Return the manifest of an organization, by its pin or else by a name."""
        if manifest := self._by_id.get(organization.organization_id):
            return manifest
        names = sorted(organization.names)
        return next((self._by_name[name] for name in names if name in self._by_name), None)

    def declared_with_errors(self, organization: Organization) -> DesiredOrganization | None:
        """Return the manifest of an organization that stands in a file with errors."""
        names = organization.names
        return next((manifest for manifest in self.broken if not names.isdisjoint(manifest.names)), None)

    @property
    def locators(self) -> Iterator[tuple[Locator, Address]]:
        """Where the manifests say that secrets are, with the addresses that these belong to."""
        for organization in (*self.manifests, *self.broken):
            for connection in organization.connections:
                secret = connection.connection.client_secret
                for locator in secret.locators if isinstance(secret, SecretReference) else ():
                    yield locator, connection.address

    @property
    def variables(self) -> Iterator[Variable]:
        """The environment variables that the manifests refer to."""
        for locator, address in self.locators:
            if locator.scheme == "env":
                yield Variable(locator.path, address)


def load_existing_manifests(
    project: Project, folder: Path, variables: Mapping[str, str]
) -> ExistingManifests:
    """Read the manifests of the project, and those in ``folder``.

    What has errors is left out, and named. Its last readable version in Git says what it declares.
    """
    selections = [find_manifests((), project)]
    if folder.is_dir():
        selections.append(find_manifests((folder,), project))
    paths = {path for selected in selections for path in selected.files}
    unread = {file.path: file for selected in selections for file in unread_files(selected, project)}
    files = [*read_manifests(sorted(paths), project, variables), *unread.values()]
    broken = [file for file in files if file.has_errors]
    past = find_past_manifests(broken, project, variables)
    declared = (organization for file in broken for organization in (*file.organizations, *file.refused))
    return ExistingManifests(
        (organization for file in files if not file.has_errors for organization in file.organizations),
        (*declared, *past.organizations),
        (diagnostic for file in broken for diagnostic in file.diagnostics if diagnostic.is_error),
        unknown=bool(past.unknown),
    )


@dataclass(slots=True)
class OrganizationNames:
    """Chooses the name by which a new manifest refers to its organization: one that no other has."""

    _owners: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def among(cls, organizations: Iterable[Organization], existing: ExistingManifests) -> OrganizationNames:
        """Return the names of these organizations and of the existing manifests."""
        names = cls(
            {
                manifest.reference: {manifest.organization_id or ""}
                for manifest in (*existing.manifests, *existing.broken)
            }
        )
        for organization in organizations:
            for name in organization.names:
                names._owners.setdefault(name, set()).add(organization.organization_id)
        return names

    def choose(self, organization: Organization) -> str:
        """Return the slug if it is valid in a manifest and unique; otherwise the organization_id."""
        slug = organization.slug
        is_unique = self._owners.get(slug) == {organization.organization_id}
        is_valid = is_unique and why_organization_undeclarable("organization", slug) is None
        return slug if is_valid else organization.organization_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How a manifest differs from its organization.

    ``suggestion``: the lines that would declare the connections that it does not declare.
    """

    remarks: tuple[str, ...]
    suggestion: tuple[str, ...]


def compare_existing_manifest(
    manifest: DesiredOrganization, live: LiveOrganization, names: VariableNames
) -> Comparison:
    """Compare a manifest with its organization, without secrets."""
    matching = match_connections(manifest, live)
    blocks = write_undeclared(manifest, live, matching.unmanaged, names)
    return Comparison(
        remarks=(*_differences(manifest, live, matching), *blocks.remarks), suggestion=tuple(blocks.lines)
    )


def write_undeclared(
    manifest: DesiredOrganization,
    live: LiveOrganization,
    undeclared: Sequence[OidcConnection],
    names: VariableNames,
) -> ConnectionBlocks:
    """Return the blocks that would declare undeclared connections in an existing manifest."""
    taken = {
        connection.address.connection: connection.connection.display_name or ""
        for connection in manifest.connections
    }
    has_default = any(connection.is_default for connection in manifest.connections)
    default_id = "" if has_default else live.organization.default_connection_id
    return write_connections(undeclared, manifest.reference, names, taken, default_id=default_id)


def _differences(manifest: DesiredOrganization, live: LiveOrganization, matching: Matching) -> Iterator[str]:
    plan = plan_organization(manifest, live, Choices(secrets={}, compares_secrets=False))
    yield from (diagnostic.summary for diagnostic in plan.diagnostics if diagnostic.is_error)
    for change in plan.changes:
        yield f"{change.address} differs from live; `reconciler plan` shows it ({change.action.value})"
    unpinned = [
        pair.desired.address.connection
        for pair in matching.pairs
        if pair.live is not None and pair.desired.connection.connection_id is None
    ]
    if unpinned:
        yield f"not pinned: {', '.join(unpinned)}; `reconciler pin` writes the ids"
