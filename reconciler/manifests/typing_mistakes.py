"""Finds the typing mistake behind an error of the YAML parser, which often stops on a later line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.manifests.source_file import Span
from reconciler.manifests.text_patterns import MISSING_BLANK, NO_BREAK_SPACE

if TYPE_CHECKING:
    from reconciler.core.codes import Code

_LINE_KEY: Final = re.compile(r"([ ]*(?:- +)?)[A-Za-z_][A-Za-z0-9_.-]*:(?: +[^ |>&*#{\[].*)?$")
"""A line that holds a key, and perhaps a value on the same line; the group is its indentation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingMistake:
    """A mistake, where it is, and what to do. Nothing of the text is repeated but the key."""

    code: Code = "invalid-yaml"
    span: Span
    summary: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str

    @property
    def indentation(self) -> int:
        return len(self.text) - len(self.text.lstrip(" "))

    def span(self, column: int, length: int = 1) -> Span:
        return Span(self.start + column, self.start + column + length)


def find_typing_mistake(text: str, error_index: int) -> TypingMistake | None:
    """Return the mistake that explains an error of the parser at an index, if one does.

    It is on the line of the error, or on the last line above it that is not blank.
    """
    error_line = _line_at(text, error_index)
    previous = _previous_line(text, error_line)
    lines = (previous, error_line) if previous else (error_line,)
    for find in (_tab, _no_break_space, _missing_blank):
        for line in lines:
            if mistake := find(line):
                return mistake
    return _too_deep(*lines) if len(lines) > 1 else None


def _tab(line: _Line) -> TypingMistake | None:
    margin = len(line.text) - len(line.text.lstrip(" \t"))
    column = line.text.find("\t", 0, margin)
    if column < 0:
        return None
    summary = "tabs are not allowed for indentation; use spaces"
    return TypingMistake(span=line.span(column), summary=summary, hint="indent by two spaces for each level")


def _no_break_space(line: _Line) -> TypingMistake | None:
    column = line.text.find(NO_BREAK_SPACE)
    if column < 0:
        return None
    return TypingMistake(
        code="no-break-space",
        span=line.span(column),
        summary="a no-break space (U+00A0), which YAML does not take for a space",
        hint="replace it by a space; it often comes from a web page or a chat",
    )


def _missing_blank(line: _Line) -> TypingMistake | None:
    margin = line.indentation
    match = MISSING_BLANK.match(line.text, margin)
    if match is None:
        return None
    key = match[1]
    return TypingMistake(
        code="missing-blank",
        span=line.span(margin + len(key)),
        summary=f"there is no space after the colon of `{key}:`",
        hint=f"write the value after a space: `{key}: …`",
    )


def _too_deep(previous: _Line, line: _Line) -> TypingMistake | None:
    """Report a key that is indented more than the key above it, which already has a value."""
    above, here = _LINE_KEY.match(previous.text), _LINE_KEY.match(line.text)
    if not above or not here or previous.text.endswith(":") or len(here[1]) <= len(above[1]):
        return None
    return TypingMistake(
        span=line.span(len(here[1])),
        summary="invalid YAML: this line is indented more than the one above it, which already has a value",
        hint="align the keys of a mapping in one column",
    )


def _line_at(text: str, index: int) -> _Line:
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    return _Line(start, text[start : end if end >= 0 else len(text)].rstrip("\r"))


def _previous_line(text: str, line: _Line) -> _Line | None:
    """Return the last line above that is neither blank nor a comment."""
    while line.start > 0:
        line = _line_at(text, line.start - 1)
        if line.text.strip(" ") and not line.text.lstrip(" ").startswith("#"):
            return line
    return None
