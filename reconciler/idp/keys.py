"""Reads key sets (RFC 7517), and judges which keys can check the signature of an ID token.

PyJWT skips what it cannot use; it accepts RSA keys of 1024 bits, published private keys and symmetric keys,
which are judged here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.idp.metadata import Document

MAX_KEYS: Final = 200
"""Keys of a set that is read; the largest sets of known providers have about ten."""

MIN_RSA_BITS: Final = 2048
"""RFC 7518, section 3.3."""

_PUBLIC: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
"""The members that make up a public key, by its type (RFC 7518, section 6; RFC 8037)."""

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "priv"})
_DESCRIPTIVE: Final = ("kty", "kid", "alg", "use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a set. ``problem`` says why it checks no signature, or is empty.

    ``material`` is equal for entries that hold the same public key. ``is_secret``: the entry publishes a
    private or symmetric key.
    """

    kid: str
    type: str
    problem: str
    material: str
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that an identity provider publishes."""

    document: Document
    keys: tuple[Key, ...]

    @property
    def usable(self) -> tuple[Key, ...]:
        """The keys that can check a signature."""
        return tuple(key for key in self.keys if not key.problem)


def read_keys(document: Document) -> KeySet | str:
    """Return the keys in a document, or why it is no key set."""
    entries = document.values.get("keys")
    if not isinstance(entries, list):
        return "the document has no list of keys"
    if len(entries) > MAX_KEYS:
        return f"the set has {len(entries)} keys, more than {MAX_KEYS}"
    return KeySet(document, tuple(map(_read_key, entries)))


def _read_key(entry: object) -> Key:
    values = entry if isinstance(entry, dict) else {}
    kind = _text(values, "kty")
    public = {name: values.get(name) for name in _PUBLIC.get(kind, ())}
    return Key(
        kid=_text(values, "kid"),
        type=kind,
        problem=_problem(values, kind, public),
        material=json.dumps([kind, public], sort_keys=True, default=str),
        is_secret=_is_secret(values, kind),
    )


def _problem(values: Mapping[str, Any], kind: str, public: Mapping[str, Any]) -> str:
    """Return why a key checks no signature; keys need neither use, alg nor kid."""
    if kind not in _PUBLIC:
        return "symmetric" if kind == "oct" else "of an unknown type"
    if values.get("use", "sig") != "sig":
        return "for encryption"
    operations = values.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return "not for checking signatures"
    return _problem_of_public({**public, **_described(values)})


def _described(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(values, name) for name in _DESCRIPTIVE if _text(values, name)}


def _problem_of_public(values: Mapping[str, Any]) -> str:
    import jwt
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    try:
        key = jwt.PyJWK.from_dict(dict(values)).key
    except (jwt.PyJWTError, UnsupportedAlgorithm, NotImplementedError, ValueError, TypeError, KeyError):
        return "malformed, or of an unknown algorithm"
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        return f"RSA with {key.key_size} bits"
    return ""


def _is_secret(values: Mapping[str, Any], kind: str) -> bool:
    """Whether an entry holds what only the identity provider may know (RFC 7517, section 9.2)."""
    return bool(_text(values, "k")) if kind == "oct" else any(values.get(name) for name in _PRIVATE)


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
