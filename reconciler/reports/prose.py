"""A sentence of ours with foreign words in it → plain words, and what must be shown just as it is.

Messages quote names and values from outside. Marked-up formats set those apart as code, where
nothing is interpreted; only words that cannot mean anything but themselves remain plain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUOTED: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_TOKEN: Final = re.compile(r"( +)|(\(*)([^ ]*?)([),.;:]*)(?= |$)")
_LETTERS: Final = r"[^\W\d_]+"
_PLAIN: Final = re.compile(rf"{_LETTERS}(?:[-'\u2019]{_LETTERS})*|\d{{1,6}}%?|[\u2014\u2013\u2026]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a sentence; the spaces between two segments are part of the plain one, or stand alone."""

    text: str
    is_code: bool


def segments(sentence: str) -> tuple[Segment, ...]:
    """Divide a sentence into plain words and code; everything invisible in it is escaped."""
    found = groupby(_segments(visible(sentence)), key=lambda one: one.is_code)
    return tuple(Segment("".join(one.text for one in group), is_code) for is_code, group in found)


def clipped(text: str, most: int) -> str:
    """Return the text, or its beginning and an ellipsis if it has more than ``most`` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _segments(sentence: str) -> Iterator[Segment]:
    position = 0
    for match in _QUOTED.finditer(sentence):
        yield from _words(sentence[position : match.start()])
        yield Segment(match[1], is_code=True)
        position = match.end()
    yield from _words(sentence[position:])


def _words(text: str) -> Iterator[Segment]:
    """Tell words from code; spaces with code on both sides are code as well."""
    pieces = list(_pieces(text))
    beyond = [Segment("", is_code=False)]
    around = zip(beyond + pieces, pieces, pieces[1:] + beyond, strict=False)
    for before, piece, after in around:
        is_code = before.is_code and after.is_code if piece.text.isspace() else piece.is_code
        yield Segment(piece.text, is_code)


def _pieces(text: str) -> Iterator[Segment]:
    for match in _TOKEN.finditer(text):
        space, opening, word, closing = match.groups(default="")
        yield from (Segment(piece, is_code=False) for piece in (space, opening) if piece)
        if word:
            yield Segment(word, is_code=_PLAIN.fullmatch(word) is None)
        if closing:
            yield Segment(closing, is_code=False)
