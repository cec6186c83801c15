"""The grammar of ``${scheme:locator}``, shared by everything that reads references."""

from __future__ import annotations

import re
from typing import Final

from reconciler.core.secret import Locator, SecretReference

OPENING: Final = "${"
"""A text without this holds no reference and is what it says."""

_ESCAPED: Final = "$${"
_TOKEN: Final = re.compile(r"\$\$\{|\$\{([^{}$]*)\}|\$\{")

_SCHEME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")


class MalformedReference(ValueError):
    """A ``${`` that does not read as ``${scheme:locator}``; the text never repeats the value."""


def parse_template(text: str) -> tuple[str | Locator, ...]:
    """Split a text into literal parts and locators; ``$${`` is a literal ``${``.

    Raises:
        MalformedReference: a reference is not closed, nested, or has no scheme or no locator.
    """
    parts: list[str | Locator] = []
    literal, position = "", 0
    for token in _TOKEN.finditer(text):
        literal += text[position : token.start()]
        position = token.end()
        if token[0] == _ESCAPED:
            literal += OPENING
            continue
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(_locator(token[1]))
    literal += text[position:]
    return (*parts, literal) if literal else tuple(parts)


def parse_reference(text: str) -> SecretReference:
    """Read a secret reference back from its text, as a saved plan carries it.

    Raises:
        MalformedReference: the text is malformed, or holds no reference at all.
    """
    parts = parse_template(text)
    if not any(isinstance(part, Locator) for part in parts):
        raise MalformedReference("there is no reference in it")
    return SecretReference(text, parts)


def make_reference(parts: tuple[str | Locator, ...]) -> SecretReference:
    """Return the reference with these parts; its text reads back to the same parts."""
    return SecretReference("".join(_written(part) for part in parts), parts)


def escape_literal(text: str) -> str:
    """Return how a text is written that holds no reference, whatever it looks like."""
    return text.replace(OPENING, _ESCAPED)


def _written(part: str | Locator) -> str:
    return str(part) if isinstance(part, Locator) else escape_literal(part)


def _locator(content: str | None) -> Locator:
    if content is None:
        raise MalformedReference("a reference is not closed, or holds another reference")
    scheme, colon, path = content.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise MalformedReference("a reference has no scheme")
    if not path or path != path.strip():
        raise MalformedReference(
            f"a reference with the scheme {scheme!r} has no locator, or spaces around it"
        )
    return Locator(scheme, path)
