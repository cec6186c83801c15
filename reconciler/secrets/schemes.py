"""The schemes of references to secrets, and the form of their locators."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.secret import Locator

KEY_SEPARATOR: Final = "#"

_LONGEST: Final = 1024
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
_AWS_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A scheme, the module that reads it, and the form of its locators as it is written after ``${``.

    ``extra`` is the optional extra that holds its library. A scheme without one keeps the rules for its
    locators in `SecretPolicy`; the locators of the others are checked here. ``names_expiry``: its store can
    say when a secret expires.
    """

    name: str
    form: str
    module: str
    extra: str = ""
    names_expiry: bool = False

    @property
    def has_keys(self) -> bool:
        """Whether a locator names a key, after ``#``."""
        return KEY_SEPARATOR in self.form


BACKENDS: Final[Mapping[str, Scheme]] = {
    scheme.name: scheme
    for scheme in (
        Scheme(name="env", form="env:NAME", module="reconciler.secrets.env"),
        Scheme(name="file", form="file:PATH", module="reconciler.secrets.file"),
        Scheme(name="age", form="age:FILE#KEY", module="reconciler.secrets.age", extra="age"),
        Scheme(
            name="vault",
            form="vault:PATH#KEY",
            module="reconciler.secrets.vault",
            extra="vault",
            names_expiry=True,
        ),
        Scheme(
            name="aws-sm",
            form="aws-sm:NAME#KEY",
            module="reconciler.secrets.aws_secrets_manager",
            extra="aws",
            names_expiry=True,
        ),
        Scheme(
            name="keyring", form="keyring:SERVICE/USER", module="reconciler.secrets.keyring", extra="keyring"
        ),
    )
}
"""Every scheme; its module is imported when the scheme is first used."""

SCHEMES: Final = tuple(BACKENDS)

STORES: Final = tuple(scheme.name for scheme in BACKENDS.values() if scheme.extra)
"""The schemes that manifests can use only as ``secrets.SCHEME.allow`` permits."""


def name_and_key(locator: Locator) -> tuple[str, str]:
    """Return the name to read from a store, and the key under that name; "" without keys."""
    if not BACKENDS[locator.scheme].has_keys:
        return locator.path, ""
    name, _, key = locator.path.partition(KEY_SEPARATOR)
    return name, key


def malformation(locator: Locator) -> str | None:
    """Return what is wrong with the form of a locator in a store, or None. Nothing is opened."""
    scheme, (name, key) = BACKENDS[locator.scheme], name_and_key(locator)
    if flaw := _flawed_character(locator.path):
        return flaw
    if locator.path.count(KEY_SEPARATOR) != scheme.has_keys:
        number = "exactly one `#`" if scheme.has_keys else "no `#`"
        return f"write ${{{scheme.form}}}, with {number}"
    if not name or (scheme.has_keys and not key) or key != key.strip() or name != name.strip():
        return f"write ${{{scheme.form}}}, without spaces around the parts"
    if scheme.name == "aws-sm" and not _AWS_NAME.fullmatch(name):
        return (
            "a secret at AWS is named by letters, digits and /_+=.@- alone, and not by its ARN, which would "
            "choose account and region"
        )
    return _traversal(name, scheme)


def _flawed_character(path: str) -> str | None:
    if len(path) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    if _CONTROL.search(path):
        return "it holds a control character or an invisible one"
    if "%" in path or "\\" in path:
        return "`%` and `\\` are not allowed in it: write every character as it is"
    if unicodedata.normalize("NFC", path) != path:
        return "it is not in Unicode's composed form (NFC)"
    return None


def _traversal(name: str, scheme: Scheme) -> str | None:
    if scheme.name == "aws-sm":
        name = name.removeprefix("/")  # the first character of many names, which are no paths
    segments = name.split("/")
    if not scheme.has_keys and len(segments) == 1:
        return f"write ${{{scheme.form}}}"
    if any(segment in {"", ".", ".."} for segment in segments):
        return "`.`, `..` and empty segments are not allowed in it, nor a `/` at its start or end"
    return None


def is_same_place(first: Locator, second: Locator) -> bool:
    """Tell whether two locators may be spellings of one place: when in doubt they are."""
    return first.scheme == second.scheme and _folded(first) == _folded(second)


def _folded(locator: Locator) -> str:
    """Return the normalized form of a place: without case, without Vault's API prefix."""
    name, key = name_and_key(locator)
    folded = unicodedata.normalize("NFKC", name).casefold()
    segments = [segment for segment in folded.split("/") if segment not in {"", "."}]
    if locator.scheme == "vault":
        segments = [segment for segment in segments if segment not in {"data", "metadata"}]
    folded = "/".join(segments)
    key = unicodedata.normalize("NFKC", key).casefold()
    return f"{folded}#{key}"
