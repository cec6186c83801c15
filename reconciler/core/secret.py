"""Secrets: a reference to one (`SecretReference`), and its value (`Secret`)."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ENV_ALLOW: Final = ("*_CLIENT_SECRET",)
"""The variables that manifests may use unless the project file says otherwise."""

_MASK = re.compile(r"[*•●]{3,}.{0,4}|.{0,4}[*•●]{3,}", re.DOTALL)
_MIN_CONTAINED = 8
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is stored, as written: ``${env:NAME}``, possibly with literal text around it.

    ``parts`` alternates literal text and locators in their order.
    """

    text: str
    parts: tuple[str | Locator, ...]

    def __str__(self) -> str:
        """Return the reference as written in the manifest; it holds no secret."""
        return self.text

    @property
    def parsed(self) -> str:
        """The reference as it will be resolved, from its parts; ``text`` is how it is written."""
        return "".join(str(part) for part in self.parts)

    @property
    def locators(self) -> tuple[Locator, ...]:
        """The places that must be read to get the value."""
        return tuple(part for part in self.parts if isinstance(part, Locator))


@dataclass(frozen=True, slots=True)
class Locator:
    """One ``${scheme:path}``."""

    scheme: str
    path: str

    def __str__(self) -> str:
        """Return the locator as it is written in a manifest."""
        return f"${{{self.scheme}:{self.path}}}"


class Secret:
    """A value that refuses to be shown: str, repr, format, JSON and pickle never contain it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Only for the wire; callers are counted by a test."""
        return self._value

    @property
    def is_empty(self) -> bool:
        """Whether there is no secret at all, as on a fresh connection."""
        return not self._value

    @property
    def is_masked(self) -> bool:
        """Whether this looks like a mask instead of the value: ``***`` with a short readable start or end."""
        return _MASK.fullmatch(self._value) is not None

    def is_in(self, text: str) -> bool:
        """Tell whether a text is this secret, or holds it; a short secret is part of many texts by chance."""
        if len(self._value) < _MIN_CONTAINED:
            return bool(self._value) and text == self._value
        return self._value in text

    def has_form(self, pattern: re.Pattern[str]) -> bool:
        """Tell whether the whole value has a form, such as that of an ID."""
        return pattern.fullmatch(self._value) is not None

    @property
    def fits_a_variable(self) -> bool:
        """Whether an environment variable can hold the value: UTF-8 without NUL."""
        return "\0" not in self._value and not _SURROGATES.search(self._value)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    __hash__ = None  # type: ignore[assignment]  # a hash would be a fingerprint of the value

    def __repr__(self) -> str:
        """Return a constant."""
        return "Secret(…)"

    def __str__(self) -> str:
        """Return the placeholder that stands for a secret everywhere."""
        return "(sensitive value)"

    def __format__(self, specification: str) -> str:
        """Return the placeholder that stands for a secret everywhere."""
        return str(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be pickled."""
        raise TypeError("a Secret cannot be serialised")

    def _bytes(self) -> bytes:
        """Return the value as bytes; without "surrogatepass" an error could quote it."""
        return self._value.encode("utf-8", "surrogatepass")

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        """Return itself: it is immutable."""
        return self


def equal_references(secrets: Mapping[SecretReference, Secret]) -> tuple[frozenset[SecretReference], ...]:
    """Return the references that stand for one value, in groups of two or more. No value leaves this."""
    groups: dict[bytes, set[SecretReference]] = {}
    for reference, secret in secrets.items():
        if not secret.is_empty:
            groups.setdefault(secret._bytes(), set()).add(reference)  # noqa: SLF001 - of this module
    return tuple(frozenset(group) for group in groups.values() if len(group) > 1)
