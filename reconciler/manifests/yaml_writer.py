"""Writes strings as YAML values and comments that parse back to the same strings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.manifests.yaml_reader import WORDS
from reconciler.secrets.references import escape_literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LONGEST_SIMPLE_KEY: Final = 1000
"""A longer key needs a question mark; YAML's own limit is 1,024 characters."""

_LONGEST_COMMENT: Final = 160
_BASIC_PLANE: Final = 0xFFFF
_PLAIN: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.@+/-]|[ :](?=[A-Za-z0-9_./@+-]))*")
_INDENT: Final = "  "


def literal(text: str) -> str:
    """Return a value that contains no reference, whatever it looks like."""
    return scalar(escape_literal(text))


def scalar(text: str) -> str:
    """Return a value or key: without quotes where no YAML reader could take it for another type."""
    if _PLAIN.fullmatch(text) and text not in WORDS:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def flow_list(texts: Sequence[str]) -> str:
    """Return a list of values on one line."""
    return "[" + ", ".join(_in_flow(text) for text in texts) + "]"


def mapping_lines(values: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a mapping of values."""
    for name, value in values.items():
        key = scalar(name)
        yield f"? {key}" if len(key) > LONGEST_SIMPLE_KEY else f"{key}: {literal(value)}"
        if len(key) > LONGEST_SIMPLE_KEY:
            yield f": {literal(value)}"


def indented(lines: Iterable[str], depth: int = 1) -> Iterator[str]:
    """Yield the lines, indented."""
    return (_INDENT * depth + line for line in lines)


def quote_for_comment(text: str) -> str:
    """Return foreign text for a comment: in quotes, on one line, shortened, without invisible characters."""
    short = text if len(text) <= _LONGEST_COMMENT else text[:_LONGEST_COMMENT] + "…"
    return '"' + "".join(_escaped(character) for character in short) + '"'


def _in_flow(text: str) -> str:
    written = literal(text)
    return f"'{written}'" if ":" in written and not written.startswith(("'", '"')) else written


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}"
