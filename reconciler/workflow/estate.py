"""Which organizations have a manifest already, and what a new one may call its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.manifests.declarable import organization_objection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.state import DesiredOrganization, Organization


@dataclass(frozen=True, slots=True)
class Declarations:
    """The manifests that are there, by organization."""

    manifests: tuple[DesiredOrganization, ...] = ()

    def of(self, organization: Organization) -> DesiredOrganization | None:
        """Return the manifest that declares an organization; a pin says more than a name."""
        names = organization.names
        for one in self.manifests:
            if organization.organization_id in {one.organization_id, one.reference}:
                return one
            if one.organization_id is None and one.reference in names:
                return one
        return None


@dataclass(slots=True)
class References:
    """Chooses the name by which a manifest calls its organization: one that means nobody else."""

    _owners: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def among(cls, organizations: Iterable[Organization], declarations: Declarations) -> References:
        """Return what chooses among these organizations, beside the manifests that are there."""
        chosen = cls({one.reference: {one.organization_id or ""} for one in declarations.manifests})
        for one in organizations:
            for name in one.names:
                chosen._owners.setdefault(name, set()).add(one.organization_id)
        return chosen

    def choose(self, organization: Organization) -> str:
        """Return the slug if it can be said and is this organization's alone; else the organization_id."""
        slug = organization.slug
        is_own = self._owners.get(slug) == {organization.organization_id}
        can_be_said = is_own and organization_objection("organization", slug) is None
        return slug if can_be_said else organization.organization_id
