"""Values of a document that somebody else may have written: of the type that they must have, or an error.

A seal shows accidents only, so nothing in a file is taken for what it should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container


def text(value: object) -> str:
    """Return a text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError(type(value))
    return value


def texts(value: object, known: Container[str] | None = None) -> tuple[str, ...]:
    """Return a list of texts, each of which is ``known`` if it matters.

    Raises:
        TypeError: it is none.
        ValueError: it holds another one.
    """
    if not isinstance(value, list):
        raise TypeError(type(value))
    found = tuple(text(one) for one in value)
    if known is not None and not all(one in known for one in found):
        raise ValueError(found)
    return found


def flag(value: object) -> bool:
    """Return a yes or no.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(value, bool):
        raise TypeError(type(value))
    return value


def count(value: object, least: int = 0) -> int:
    """Return a whole number; JSON's true and 1.0 are none.

    Raises:
        TypeError: it is none.
        ValueError: it is less than ``least``.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(type(value))
    if value < least:
        raise ValueError(value)
    return value


def mapping(value: object) -> dict[str, Any]:
    """Return a mapping, whose values may be any JSON.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, dict):
        raise TypeError(type(value))
    return {text(key): one for key, one in value.items()}
