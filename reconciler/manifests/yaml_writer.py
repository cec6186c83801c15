"""Writes strings as YAML values and comments that parse back to the same strings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from reconciler.manifests.yaml_reader import WORDS
from reconciler.secrets.references import escape_literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    return _single_quoted(text) if text.isprintable() else _double_quoted(text)


def written_like(style: str | None, text: str, *, is_flow: bool = False) -> str:
    """Return a value or key in the style of another scalar, as far as the text allows it."""
    if style == '"':
        return _double_quoted(text)
    if style == "'" and text.isprintable():
        return _single_quoted(text)
    return _quote_colon(scalar(text)) if is_flow else scalar(text)


def flow_value(value: object) -> str:
    """Return texts, booleans, lists and mappings on one line, in JSON's notation."""
    if isinstance(value, str):
        return _double_quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        entries = (f"{flow_value(key)}: {flow_value(child)}" for key, child in value.items())
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(flow_value, value)) + "]"
    raise TypeError(f"no manifest holds a {type(value).__name__}")


def flow_list(texts: Sequence[str]) -> str:
    """Return a list of values on one line."""
    return "[" + ", ".join(_quote_colon(literal(text)) for text in texts) + "]"


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
    return _double_quoted(short)


def _quote_colon(written: str) -> str:
    """Return a written value with quotes if it has a colon, which some readers split at in a list."""
    return f"'{written}'" if ":" in written and not written.startswith(("'", '"')) else written


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _double_quoted(text: str) -> str:
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}"
