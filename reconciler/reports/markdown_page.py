"""A Markdown page with a size limit: blocks that fit are kept in order, the others are counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MAX_MISSES: Final = 20
"""After so many items in a row that do not fit, the rest is counted without being rendered."""

Item = TypeVar("Item")


def more(number: int, noun: str) -> str:
    """Return ``1 more finding`` or ``2 more findings``."""
    return f"{number:,} more {noun if number == 1 else noun + 's'}"


@dataclass(slots=True)
class Page:
    """Blocks of Markdown, at most ``max_bytes`` of UTF-8 together.

    Bytes are the strictest of all ways to count: there are never more characters or UTF-16 units.
    """

    max_bytes: int
    blocks: list[str] = field(default_factory=list)
    used: int = 0

    def write(self, block: str) -> bool:
        """Add a block, if it fits; an empty block is left out."""
        size = utf8_size(block)
        if not block or self.used + size > self.max_bytes:
            return not block
        self.blocks.append(block)
        self.used += size
        return True

    def share(self, part: float = 1.0) -> int:
        """Return a share of the remaining bytes."""
        return int((self.max_bytes - self.used) * part)

    def text(self) -> str:
        """Return the page, its blocks set off by empty lines."""
        return "\n\n".join(block.strip("\n") for block in self.blocks) + "\n"


def fit(items: Sequence[Item], render: Callable[[Item], str], max_bytes: int) -> tuple[list[str], list[Item]]:
    """Render the items in order; return the blocks that fit, and the items that do not."""
    fitting: list[str] = []
    left: list[Item] = []
    misses = 0
    for index, item in enumerate(items):
        if misses == _MAX_MISSES:
            return fitting, [*left, *items[index:]]
        text = render(item)
        size = utf8_size(text)
        if size <= max_bytes:
            fitting.append(text)
            max_bytes -= size
            misses = 0
        else:
            left.append(item)
            misses += 1
    return fitting, left


def utf8_size(text: str) -> int:
    """Return the bytes of a block with the empty line after it."""
    return len(text.encode("utf-8", "surrogatepass")) + 2
