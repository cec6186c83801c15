"""Which addresses a run covers, how much it may delete, and how fast it may call the API."""

from __future__ import annotations

from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one run, with the defaults of the project file.

    ``max_delete_percent`` is a percentage of the managed connections, but at least one connection. The
    lower of the two delete limits applies, so ``max_deletes: 0`` forbids all deletes.
    ``requests_per_second`` and ``concurrency`` are for the whole project, like the API's own limit.
    """

    max_deletes: int = 3
    max_delete_percent: float = 20.0
    requests_per_second: float = 10.0
    concurrency: int = 8

    def deletes_allowed(self, managed: int) -> int:
        """Return how many of ``managed`` connections one run may delete."""
        share = int(managed * self.max_delete_percent / 100)
        return min(self.max_deletes, max(share, 1))

    def among(self, runs: int) -> Limits:
        """Return the limits of one of several runs that share the project's request rate.

        The limits on deletes stay as they are: they apply to each run.
        """
        return replace(
            self,
            requests_per_second=self.requests_per_second / runs,
            concurrency=max(1, self.concurrency // runs),
        )
