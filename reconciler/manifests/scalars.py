"""Gives plain scalars, those without quotes, the type that YAML readers give them."""

from __future__ import annotations

import re
from datetime import date
from enum import Enum
from typing import Final, TypeAlias


class YamlScalarKind(Enum):
    """The kinds of plain scalars that YAML readers take for another type than text, and no field accepts."""

    NUMBER = "a number"
    DATE_AND_TIME = "a date and time"
    DATE = "a date that does not exist"
    OFF = "off"


Scalar: TypeAlias = str | bool | int | float | date | YamlScalarKind | None

WORDS: Final[dict[str, bool | YamlScalarKind | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **{form: True for word in ("true", "yes", "on") for form in (word, word.title(), word.upper())},
    **{form: False for word in ("false", "no", "off") for form in (word, word.title(), word.upper())},
    "off": YamlScalarKind.OFF,
}
"""The plain words that are not text in YAML 1.1, which most tools read.

A bare ``off`` is kept apart, since it is also the value of a setting.
"""

NUMERIC_STARTS: Final = frozenset("+-.0123456789")

_INTEGER: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# YAML 1.1 and 1.2 taken together: octal, hexadecimal, binary, sexagesimal, exponents, infinity
_OTHER_NUMBER: Final = re.compile(
    r"[+-]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]*[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?"
    r"|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
)
_DATE_AND_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}.*)?",
)


def read_plain(text: str) -> Scalar:
    """Return the value of a plain scalar; text stays text."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in NUMERIC_STARTS:
        return text
    return _read_numeric(text)


def _read_numeric(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _DATE.fullmatch(text):
        return parse_date(text) or YamlScalarKind.DATE
    if _OTHER_NUMBER.fullmatch(text):
        return YamlScalarKind.NUMBER
    if _DATE_AND_TIME.fullmatch(text):
        return YamlScalarKind.DATE_AND_TIME
    return text


def parse_date(text: str) -> date | None:
    """Return the date written as ``YYYY-MM-DD``, or None if it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
