"""Which addresses a run covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address

if TYPE_CHECKING:
    from reconciler.core.shard import Shard
    from reconciler.core.state import DesiredOrganization


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSelection:
    """What a run was limited to: address globs, organizations, a shard. By default it covers everything."""

    targets: tuple[str, ...] = ()
    organizations: frozenset[str] | None = None
    shard: Shard | None = None

    def includes(self, address: Address) -> bool:
        """Tell whether the run covers an address."""
        if self.organizations is not None and address.organization not in self.organizations:
            return False
        if not self.in_shard(address.organization):
            return False
        return not self.targets or any(address.matches(target) for target in self.targets)

    def includes_organization(self, organization: DesiredOrganization) -> bool:
        """Tell whether the run covers any connection of an organization."""
        if not self.in_shard(organization.reference):
            return False
        return not self.targets or any(may_match(target, organization) for target in self.targets)

    def in_shard(self, organization: str) -> bool:
        """Tell whether an organization, by the name in its manifest, is in the shard of the run."""
        return self.shard is None or self.shard.holds(organization)


ALL: Final = RunSelection()


def may_match(pattern: str, organization: DesiredOrganization) -> bool:
    """Tell whether an address glob matches a declared connection, or may match one that is pruned."""
    if any(connection.address.matches(pattern) for connection in organization.connections):
        return True
    organization_pattern = pattern.partition("/")[0]
    return organization.prune and Address(organization.reference, "").matches(f"{organization_pattern}/*")
