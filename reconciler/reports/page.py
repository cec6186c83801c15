"""A page of limited size: what fits is written, what does not is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")

_MOST_MISSES: Final = 20
"""So many items in a row that do not fit end a section: the rest is counted without being rendered."""


@dataclass(slots=True)
class Page:
    """Blocks of Markdown, at most ``most_bytes`` of UTF-8 together.

    Bytes are the strictest of all ways to count: there are never more characters or UTF-16 units.
    """

    most_bytes: int
    blocks: list[str] = field(default_factory=list)
    used: int = 0

    def write(self, block: str) -> bool:
        """Add a block, if there is room; an empty block is no block."""
        size = _size(block)
        if not block or self.used + size > self.most_bytes:
            return not block
        self.blocks.append(block)
        self.used += size
        return True

    def room(self, share: float = 1.0) -> int:
        """Return how many bytes a part may have: a share of what is left."""
        return int((self.most_bytes - self.used) * share)

    def text(self) -> str:
        """Return the page, its blocks set off by empty lines."""
        return "\n\n".join(block.strip("\n") for block in self.blocks) + "\n"


def as_many_as_fit(
    items: Sequence[Item], render: Callable[[Item], str], most_bytes: int
) -> tuple[list[str], list[Item]]:
    """Render the items in their order and return those that fit together, and the items that do not."""
    shown: list[str] = []
    left: list[Item] = []
    misses = 0
    for index, item in enumerate(items):
        if misses == _MOST_MISSES:
            return shown, [*left, *items[index:]]
        text = render(item)
        size = _size(text)
        if size <= most_bytes:
            shown.append(text)
            most_bytes -= size
            misses = 0
        else:
            left.append(item)
            misses += 1
    return shown, left


def _size(text: str) -> int:
    """Return the bytes of a block with the empty line after it."""
    return len(text.encode("utf-8", "surrogatepass")) + 2
