"""Typed reading of JSON that others wrote: a wrong type is named, its value never is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.core.errors import MalformedAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TYPE_NAMES = {str: "text", dict: "an object", list: "a list", bool: "true or false", int: "a number"}


def text(document: Mapping[str, Any], name: str, where: str) -> str:
    """Return a text; absent and null count as empty.

    Raises:
        MalformedAnswer: the field has another type.
    """
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        wrong_type(name, where, "text", value)
    return value


def required_text(document: Mapping[str, Any], name: str, where: str) -> str:
    """Return a text that cannot be missing or empty.

    Raises:
        MalformedAnswer: it is, or it has another type.
    """
    value = text(document, name, where)
    if not value:
        raise MalformedAnswer(f"{where}: the answer lacks {name!r}")
    return value


def mapping(document: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    """Return an object; absent and null count as empty.

    Raises:
        MalformedAnswer: the field has another type.
    """
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        wrong_type(name, where, "an object", value)
    return value


def objects(document: Mapping[str, Any], name: str, where: str) -> Sequence[Mapping[str, Any]]:
    """Return a list of objects; absent and null count as empty.

    Raises:
        MalformedAnswer: the field is no list, or something in it is no object.
    """
    return _entries(document, name, where, dict, "an object")


def texts(document: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    """Return a list of texts; absent and null count as empty.

    Raises:
        MalformedAnswer: the field is no list, or something in it is no text.
    """
    return tuple(_entries(document, name, where, str, "text"))


def wrong_type(name: str, where: str, expected: str, value: object) -> NoReturn:
    """Raise the error for a field of a wrong type, without its value."""
    found = _TYPE_NAMES.get(type(value), type(value).__name__)
    raise MalformedAnswer(f"{where}: {name!r} in the answer should be {expected} but is {found}")


def _entries(document: Mapping[str, Any], name: str, where: str, kind: type, expected: str) -> Sequence[Any]:
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        wrong_type(name, where, "a list", value)
    for entry in value:
        if not isinstance(entry, kind):
            wrong_type(f"{name}[]", where, expected, entry)
    return value
