"""What one run covers (targets, a shard), how much it may delete, and how fast it may call the API."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.state import DesiredOrganization


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


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` shards; ``index`` counts from 1.

    Raises:
        ValueError: there is no such shard.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        """Refuse a shard that does not exist."""
        if not 1 <= self.index <= self.count:
            raise ValueError(f"there is no shard {self.index} of {self.count}")

    def __str__(self) -> str:
        """Return ``index/count``, as written on the command line."""
        return f"{self.index}/{self.count}"

    def holds(self, organization: str) -> bool:
        """Tell whether an organization, by the name in its manifest, belongs to this shard.

        The SHA-256 of the name decides, so that adding or removing a manifest moves no other
        organization to another shard.
        """
        digest = hashlib.sha256(organization.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeInfo:
    """What the plan of a shard records so that the plans of all shards can be merged.

    ``positions`` are the positions of its organizations among all declared ones. The first
    ``manifest_warnings`` of its diagnostics are about manifests; the others come from planning.
    """

    shard: Shard
    positions: Mapping[str, int] = field(default_factory=dict)
    manifest_warnings: int = 0


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
