"""Reads JSON from other services: strict parsing, and fields with checked types."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reconciler.core.errors import MalformedAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.errors import ReconcilerError

MAX_DEPTH: Final = 100
"""Levels of nesting; no answer that is known has ten."""

_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_TYPE_NAMES: Final = {str: "text", dict: "an object", list: "a list", bool: "true or false", int: "a number"}


def parse_json(body: bytes) -> object:
    """Return the value that a body holds.

    Raises:
        ValueError: it is not JSON in UTF-8, has NaN, infinite numbers or lone surrogates, is nested deeper
            than `MAX_DEPTH`, or an object has a key twice: readers would not agree on what it says.
    """
    text = body.decode()
    try:
        document: object = json.loads(
            text, parse_float=_finite, parse_constant=_finite, object_pairs_hook=_distinct
        )
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if not _is_within_depth(document):
        raise ValueError("the JSON is nested too deeply")
    if _SURROGATE.search(text):
        json.dumps(document, ensure_ascii=False).encode()  # refuses what is left without its other half
    return document


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object in an answer to the request ``where``; a field of a wrong type raises ``error``.

    The messages name types, and never a value: it may be a secret.
    """

    values: Mapping[str, Any]
    where: str
    error: type[ReconcilerError] = MalformedAnswer

    def text(self, name: str) -> str:
        """Return a text; absent and null count as empty."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong_type(name, "text", value)
        return value

    def required_text(self, name: str) -> str:
        """Return a text that cannot be missing or empty."""
        value = self.text(name)
        if not value:
            self._missing(name)
        return value

    def required_number(self, name: str) -> int:
        """Return a whole number that cannot be missing."""
        value = self.values.get(name)
        if value is None:
            self._missing(name)
        if not isinstance(value, int) or isinstance(value, bool):
            self._wrong_type(name, "a number", value)
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object as it is; absent and null count as empty."""
        value = self.values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._wrong_type(name, "an object", value)
        return value

    def child(self, name: str) -> JsonObject:
        """Return an object whose fields are read in turn; absent and null count as empty."""
        return JsonObject(self.mapping(name), self.where, self.error)

    def objects(self, name: str) -> tuple[JsonObject, ...]:
        """Return a list of objects; absent and null count as empty."""
        entries = self._entries(name, dict, "an object")
        return tuple(JsonObject(entry, self.where, self.error) for entry in entries)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings; absent and null count as empty."""
        return tuple(self._entries(name, str, "text"))

    def _entries(self, name: str, kind: type, expected: str) -> list[Any]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong_type(name, "a list", value)
        for entry in value:
            if not isinstance(entry, kind):
                self._wrong_type(f"{name}[]", expected, entry)
        return value

    def _missing(self, name: str) -> NoReturn:
        raise self.error(f"{self.where}: the response lacks {name!r}")

    def _wrong_type(self, name: str, expected: str, value: object) -> NoReturn:
        actual = _TYPE_NAMES.get(type(value), type(value).__name__)
        raise self.error(f"{self.where}: {name!r} in the response should be {expected} but is {actual}")


def _finite(number: str) -> float:
    value = float(number)
    if not isfinite(value):
        raise ValueError("JSON has no infinite numbers, and no NaN")
    return value


def _distinct(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(fields)
    if len(values) < len(fields):
        raise ValueError("an object of the JSON has a key twice")
    return values


def _is_within_depth(document: object) -> bool:
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return True
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, (dict, list))
        ]
    return not level
