"""Text from outside → text that a terminal shows as it is, and cannot be deceived by.

Names and values come from tenants, identity providers and manifests. Control characters could
rewrite the screen and bidirectional marks reorder it, so whatever does not show as itself is
written as an escape sequence, as JSON and HCL do. So are the two marks by which the runner of
GitHub's workflows knows commands in a log (actions/runner, ``ActionCommand.cs``).
"""

from __future__ import annotations

import json
import re
from typing import Final
from unicodedata import combining, east_asian_width

_BASIC_PLANE: Final = 0xFFFF
_COMMAND: Final = re.compile(r"^ *::|##\[")
"""A command begins with two colons after any spaces, or, in the old form, with ``##[`` anywhere."""

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """Return the text with everything invisible, controlling or reordering escaped."""
    shown = text if text.isprintable() else "".join(_shown(character) for character in text)
    return _COMMAND.sub(_defused, shown) if "::" in shown or "##[" in shown else shown


def quoted(text: str) -> str:
    """Return the text in double quotes, escaped so that it can mean nothing else."""
    return '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def value_text(value: object) -> str:
    """Return a value as HCL writes it; what is no string, as JSON."""
    return quoted(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


def width(text: str) -> int:
    """Return how many columns of a terminal visible text takes."""
    return sum(_columns(character) for character in text)


def count(number: int, noun: str) -> str:
    """Return ``1 connection`` or ``2 connections``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}")


def _defused(match: re.Match[str]) -> str:
    """Write the last but one character of a command's mark as an escape."""
    mark = match[0]
    return mark[:-2] + f"\\u{ord(mark[-2]):04x}" + mark[-1]


def _columns(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
