"""Documents in which something is not what it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG: tuple[Any, ...] = (None, True, -1, 5, "x\n::error::\x1b[2J<img src=x>", [None], {"a": None})
"""What somebody may put in the place of anything."""


def forgeries(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the document with every wrong thing in the place of everything that it holds."""
    for place in _places(document):
        for wrong in WRONG:
            forged = json.loads(json.dumps(document))
            _put(forged, place, wrong)
            yield forged


def is_harmless(text: str, format_: str) -> None:
    """Make sure that a forged text commands neither terminal nor runner, nor is markup."""
    assert "\x1b" not in text, format_
    assert "\n::error::\\x1b" not in text, format_
    assert format_ != "html" or "<img src=x>" not in text


def _places(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything that a document holds, at any depth."""
    if so_far[:1] in {("planned_values",), ("digest",)}:
        return
    if so_far:
        yield so_far
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*so_far, key))


def _put(within: Any, place: tuple[Any, ...], value: Any) -> None:
    *way, last = place
    for key in way:
        within = within[key]
    within[last] = value
