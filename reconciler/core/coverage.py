"""What a run can speak of, since it was asked to look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.core.address import Address
    from reconciler.core.shard import Shard


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run was asked to look at: address globs, organizations, a shard; nothing means everything."""

    targets: tuple[str, ...] = ()
    organizations: frozenset[str] | None = None
    shard: Shard | None = None

    def includes(self, address: Address) -> bool:
        """Tell whether the run can speak of an address."""
        if self.organizations is not None and address.organization not in self.organizations:
            return False
        if self.shard is not None and not self.shard.holds(address.organization):
            return False
        return not self.targets or any(address.matches(target) for target in self.targets)


EVERYTHING: Final = Coverage()
