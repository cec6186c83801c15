"""Reads that still show what was there before a write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

View = TypeVar("View")


@dataclass(slots=True)
class _Stale:
    view: object
    reads_left: int


@dataclass(slots=True)
class ReadLag:
    """Per key, the view before the last write and how many reads may still see it."""

    _stale: dict[str, _Stale] = field(default_factory=dict)

    def remember(self, key: str, view: object, reads: int) -> None:
        """Show `view` for the next `reads` reads of `key`; an older view that is still shown stays."""
        if reads > 0:
            shown = self._stale[key].view if key in self._stale else view
            self._stale[key] = _Stale(shown, reads)

    def read(self, key: str, fresh: Callable[[], View]) -> View:
        """The stale view while there is one, otherwise what `fresh` says."""
        stale = self._stale.get(key)
        if stale is None:
            return fresh()
        stale.reads_left -= 1
        if stale.reads_left <= 0:
            del self._stale[key]
        return cast("View", stale.view)
