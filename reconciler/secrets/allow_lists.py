"""Matches locators against the allow lists of the project file: globs with placeholders for names.

The placeholders ``{organization}`` and ``{connection}`` match exactly the names of a connection. With a
wildcard right after one, as in ``sso/{organization}*``, ``acme`` could use the secrets of ``acme-eu``.
So a character that names cannot contain must follow each placeholder, and no wildcard may precede one.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.address import Address

PLACEHOLDERS: Final = ("{organization}", "{connection}")

_PARTS: Final = re.compile(r"(\{organization\}|\{connection\})")
_BRACES: Final = re.compile(r"[{}]")
_NAME: Final = re.compile(r"[A-Za-z0-9._~|-]+")
_VARIABLE_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""The names that different variables stand for: in capitals, with underscores for hyphens."""


def allows(globs: Iterable[str], scheme: str, path: str, address: Address | None) -> bool:
    """Tell whether one of the globs matches a locator's path for this address.

    Without an address, or with names that cannot be put in, globs with placeholders match nothing.
    """
    return any(
        (pattern := _pattern(glob, scheme, address if "{" in glob else None)) is not None
        and pattern.fullmatch(path) is not None
        for glob in globs
    )


def names_in(glob: str, scheme: str, address: Address) -> str | None:
    """Return a glob with the names of an address put in; None if a name cannot be."""
    parts = [_put_in(part, scheme, address) for part in _PARTS.split(glob)]
    known = [part for part in parts if part is not None]
    return "".join(known) if len(known) == len(parts) else None


def flaw(glob: str, scheme: str) -> str | None:
    """Return what is wrong with a glob of an allow list, or None."""
    parts = _PARTS.split(glob)
    if any(_BRACES.search(part) for part in parts[::2]):
        return "{organization} and {connection} are the only placeholders"
    if len(parts) == 1:
        return None
    wildcards, separator, words = _wildcards(scheme)
    if wildcards.search(parts[0]):
        return "a wildcard before a placeholder could match the name of another organization"
    for text in parts[2:-1:2]:
        if not separator.search(text):
            return f"{words} has to stand between the placeholders"
    for text in parts[2::2]:
        wildcard = wildcards.search(text)
        if wildcard and not separator.search(text[: wildcard.start()]):
            return f"{words} has to stand between a placeholder and a wildcard, or other names match too"
    return None


def _wildcards(scheme: str) -> tuple[re.Pattern[str], re.Pattern[str], str]:
    """Return the wildcards of a scheme's globs, and what cannot be part of a name that is put in."""
    if scheme == "env":
        return re.compile(r"[*?\[]"), re.compile("__"), "a double underscore (`__`)"
    return re.compile(r"\*"), re.compile("[/#]"), "a `/` or `#`"


@lru_cache(maxsize=8192)
def _pattern(glob: str, scheme: str, address: Address | None) -> re.Pattern[str] | None:
    if address is None:
        return None if _PARTS.search(glob) else _compiled(glob, scheme)
    named = names_in(glob, scheme, address)
    return None if named is None else _compiled(named, scheme)


def _compiled(glob: str, scheme: str) -> re.Pattern[str]:
    """Return the pattern of a glob: all of `fnmatch` for variables, and ``*`` alone elsewhere."""
    if scheme == "env":
        return re.compile(translate(glob))
    return re.compile(".*".join(map(re.escape, glob.split("*"))), re.DOTALL)


def _put_in(part: str, scheme: str, address: Address) -> str | None:
    """Return a part of a glob, or the name that a placeholder stands for; None if it cannot be put in."""
    if part not in PLACEHOLDERS:
        return part
    name = address.organization if part == PLACEHOLDERS[0] else address.connection
    if scheme == "env":
        return name.upper().replace("-", "_") if _VARIABLE_NAME.fullmatch(name) else None
    return name if _NAME.fullmatch(name) and set(name) != {"."} else None
