"""What the operations on one organization share, and the progress of one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.providers.base import Recheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.applier.read_back import ReadBack
    from reconciler.core.diff import Secrets
    from reconciler.core.state import LiveOrganization
    from reconciler.providers.base import Provider

    Check = Callable[[LiveOrganization], None]
    """Raises a `ProviderError` if a write must not be sent now that this is live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteContext:
    """How to read and write one organization; ``repeats`` bounds how often a lost write is sent again."""

    provider: Provider
    read_back: ReadBack
    secrets: Secrets
    repeats: int

    @property
    def attempts(self) -> range:
        """The numbers of the attempts at one write."""
        return range(1, self.repeats + 2)

    def recheck(self, read_at: float, check: Check) -> Recheck:
        """Return what reads again and checks before a write that is late."""

        async def read_again() -> float:
            live = await self.read_back.once()
            check(live)
            return live.read_at

        return Recheck(read_at, read_again)


@dataclass(slots=True)
class Progress:
    """How far an operation has come; it is read also if the operation fails.

    ``live`` is the latest reading. ``history`` lists what went wrong on the way and how it was
    handled. ``unfinished_id`` is the connection that a create has made but not completed. ``sent``
    are the fields that were sent, and ``is_repeated`` tells whether an update was sent again.
    ``is_superseded``: the connection that was to be created is there, but another run has made it.
    """

    live: LiveOrganization
    warnings: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    unfinished_id: str = ""
    sent: set[str] = field(default_factory=set)
    is_repeated: bool = False
    is_superseded: bool = False
