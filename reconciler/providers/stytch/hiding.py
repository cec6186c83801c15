"""Keeping our secrets out of foreign words, in whichever form a service may repeat them."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WITHHELD: Final = "the service's own words are not shown, as they may repeat a secret"

_LONGEST: Final = 16384
"""Characters of a text that are looked at; four times what is ever considered for being shown."""

_TELLING: Final = 8
"""Characters by which the beginning of a secret is recognised; a shorter secret by all it has."""

_NESTED: Final = 4
"""How often a text may have been escaped one way in another."""

_BACKSLASH: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS: Final = dict.fromkeys("abfnrtv0", " ")
_LOST: Final = frozenset("\\\"'`+")
_PUBLIC_BEGINNING: Final = re.compile(r"^secret-(?:test|live)-")
"""How every secret of a project begins (authentication docs of the API)."""

_PROVING: Final = ("authorization", "x-stytch-member-session", "x-stytch-member-sessionjwt")


def credentials_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return what in the headers proves who calls; of Basic credentials the password in clear, too."""
    proofs = [value.rpartition(" ")[2] for name, value in headers.items() if name.lower() in _PROVING]
    return (*proofs, *(password for proof in proofs if (password := _password(proof))))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return the text, or one sentence in its stead if it may repeat a secret.

    Replacing what is found would rely on knowing every way of writing it; so nothing of such a text is
    kept. ``text`` is looked at as far as it can ever be shown.
    """
    return WITHHELD if repeats_secret(text, secrets) else text


def repeats_secret(text: str, secrets: Iterable[str]) -> bool:
    """Tell whether a text has a secret in it, or how one of its lines begins, however it is written."""
    whole = text[:_LONGEST]
    plain = _plain(whole)
    return any(secret in whole or _is_in(plain, secret) for secret in secrets if secret)


def _is_in(plain: str, secret: str) -> bool:
    return any(_plain(form)[:_TELLING] in plain for form in _forms(secret) if _plain(form))


def _forms(secret: str) -> Iterable[str]:
    """Yield what would give the secret away: itself, each longer line of it, and its encodings."""
    raw = secret.encode("utf-8", "surrogatepass")
    own = _PUBLIC_BEGINNING.sub("", secret) or secret
    yield own
    yield from (line for line in own.splitlines() if len(_plain(line)) >= _TELLING)
    if len(_plain(own[:_TELLING])) > _TELLING // 2:
        yield own[:_TELLING]
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(raw).decode()
    yield raw.hex()


def _plain(text: str) -> str:
    """Return a text as it reads without any escapes, and without what is lost when texts are quoted."""
    for _ in range(_NESTED):
        before = text
        text = html.unescape(unquote(_BACKSLASH.sub(_unescape, text)))
        if text == before:
            break
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    folded = unicodedata.normalize("NFKC", paired).casefold()
    return "".join(one for one in folded if one not in _LOST and unicodedata.category(one)[0] not in "CZ")


def _unescape(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2]
    return chr(int(digits, 16)) if digits else _LETTERS.get(escape[3], escape[3])


def _password(proof: str) -> str:
    try:
        return base64.b64decode(proof, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
