"""Redacts secrets from what a service or an identity provider writes, in any encoding."""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WITHHELD: Final = "the service's message is not shown, because it may repeat a secret"

_MAX_LENGTH: Final = 16384
"""Characters of a text that are searched; four times what is ever considered for a message."""

_MIN_MATCH: Final = 8
"""Characters by which the beginning of a secret is recognized; a shorter secret by all it has."""

MIN_SECRET_LENGTH: Final = 8
"""Characters; a shorter secret is part of many identifiers by chance."""

_MAX_ESCAPE_LEVELS: Final = 4
"""How often a text may have been escaped one way in another."""

_BACKSLASH: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS: Final = dict.fromkeys("abfnrtv0", " ")
_QUOTES: Final = frozenset("\\\"'`+")
_ESCAPE_MARKS: Final = re.compile(r"[\\%&]")
_LOST_ASCII: Final = {
    ord(letter): None
    for letter in map(chr, range(128))
    if letter in _QUOTES or letter == " " or not letter.isprintable()
}
"""The ASCII characters that `_plain` leaves out; the same as for others, but fast."""

_CACHED_SECRETS: Final = 256
_PUBLIC_PREFIX: Final = re.compile(r"^secret-(?:test|live)-")
"""How every secret of a project begins (authentication docs of the API)."""

_SEPARATORS: Final = re.compile(r"[\W_]+")

_PUNCTUATION: Final = ".,:;!?\"'`()"
_STATUS: Final = re.compile(r"\b[1-5][0-9]{2}\b")

_WORDS: Final = """
    a an all already an and any are as at be because been but by can cannot check could did do does done
    either for from had has have how however if in into is it its key left make may must need needs
    neither no none not of off on only or other our own please see set should so some such than that the
    their them then there these they this those to too until up use used uses was we were what when where
    which while who why will with within without would yet you your access accepted active address allowed
    also answer answered attribute attributes authorization blank body certificate changed claim claims
    client code configuration configured connect connection connections contain contains content contents
    correct could current custom data default deprecated detail details different discover discovered
    discovery display document does domain email empty endpoint endpoints error errors exist expected
    expired external fail failed fails failure fetch fetched field fields found get group groups host http
    https id identity ignored incomplete information instead internal invalid issue issuer json jwks keep
    kept known later length list log login longer long mapping match matches matching max maximum member
    members metadata method missing more name names network new null oauth oidc old openid organization
    over page party pending port possible present previous problem profile project provided provider
    public reach reachable read reason received redirect refused rejected request requests required
    resolve resolved response retrieve retrieved retry returned saml save saved scope scopes secret
    secrets see self server service set short sign signed single sso status still stored string support
    supported temporarily time timed timeout tls token tried try type unable unavailable unchanged
    unexpected unknown unreachable unset unsupported unused update updated uri url urls user userinfo
    valid value values verified verify version warning was weak well wrong authorization_url client_id
    client_secret display_name identity_provider jwks_uri jwks_url token_endpoint token_url
    userinfo_endpoint userinfo_url authorization_endpoint attribute_mapping custom_scopes
"""
_VOCABULARY: Final = frozenset(_WORDS.split())
"""The words of a free text of the service that are shown: common ones, and those of this trade."""

_CREDENTIAL_HEADERS: Final = ("authorization", "x-stytch-member-session", "x-stytch-member-sessionjwt")


def credentials_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the credentials in the headers; of Basic credentials the password in clear as well."""
    credentials = [
        value.rpartition(" ")[2] for name, value in headers.items() if name.lower() in _CREDENTIAL_HEADERS
    ]
    return (*credentials, *(password for text in credentials if (password := _basic_password(text))))


def repeats_credentials(body: bytes, document: object, credentials: Iterable[str]) -> bool:
    """Tell whether a response holds one of the credentials, as it is or with JSON's escapes."""
    text = json.dumps(document, ensure_ascii=False) if b"\\u" in body else ""
    return any(
        text_of.encode() in body or text_of in text
        for text_of in credentials
        if len(text_of) >= MIN_SECRET_LENGTH
    )


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text, or a fixed sentence instead if it may repeat a secret.

    Replacing the secret alone would rely on knowing every way of writing it, so nothing of such a text is
    kept. Only the part of ``text`` that can ever be shown is searched.
    """
    return WITHHELD if contains_secret(text, secrets) else text


def known_words(text: str, sent: Iterable[str]) -> str:
    """Return a free text without anything that could be a secret in an encoding of the service's own.

    What is left are words of `_VOCABULARY`, values that we ``sent`` and that are no secrets, and one number
    of three digits; for anything else stands an ellipsis.
    """
    values = tuple(sent)
    words: list[str] = []
    for token in text.split():
        core = token.strip(_PUNCTUATION)
        is_known = core.casefold() in _VOCABULARY or any(core in _addresses_of(value) for value in values)
        is_status = bool(_STATUS.fullmatch(core)) and not any(map(_STATUS.search, words))
        if is_known or is_status or (not core and len(token) == 1):
            words.append(token)
        elif words[-1:] != ["…"]:
            words.append("…")
    return " ".join(words)


def contains_secret(text: str, secrets: Iterable[str]) -> bool:
    """Tell whether a text has a secret in it, or the beginning of one of its lines, in any encoding."""
    searched = text[:_MAX_LENGTH]
    plain = _plain(searched)
    letters = _SEPARATORS.sub("", plain)
    return any(
        secret in searched
        or any(form in plain for form in _plain_forms(secret))
        or any(form in letters for form in _letter_forms(secret))
        for secret in secrets
        if secret
    )


def _addresses_of(value: str) -> tuple[str, ...]:
    """Return a value that we sent, and the address of its metadata if it is an issuer."""
    return value, value.rstrip("/"), f"{value.rstrip('/')}/.well-known/openid-configuration"


@lru_cache(_CACHED_SECRETS)
def _plain_forms(secret: str) -> tuple[str, ...]:
    """Return the beginnings of a secret and of its usual encodings, as `_plain` would leave them."""
    return tuple({form[:_MIN_MATCH] for form in map(_plain, _encodings(secret)) if form})


@lru_cache(_CACHED_SECRETS)
def _letter_forms(secret: str) -> tuple[str, ...]:
    """Return the beginnings of a longer secret in rarer encodings, separators aside."""
    if len(secret) < MIN_SECRET_LENGTH:
        return ()
    own = _PUBLIC_PREFIX.sub("", secret) or secret
    forms = {_SEPARATORS.sub("", form.casefold()) for form in _transformations(own)}
    return tuple(form[: 2 * _MIN_MATCH] for form in forms if len(form) >= _MIN_MATCH)


def _transformations(secret: str) -> Iterable[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (secret, secret[::-1], codecs.encode(secret, "rot13"), codecs.encode(secret[::-1], "rot13"))
    yield from (
        base64.b32encode(raw).decode(),
        base64.b85encode(raw).decode(),
        base64.a85encode(raw).decode(),
    )
    yield raw.hex()
    yield "".join(str(byte) for byte in raw)
    yield "".join(f"{byte:08b}" for byte in raw)
    for offset in (1, 2):  # base64 of a text that has the secret in its middle
        yield base64.b64encode(raw[offset:]).decode()[:-4]


def _encodings(secret: str) -> Iterable[str]:
    """Yield what would give the secret away: itself, each longer line of it, and its encodings."""
    raw = secret.encode("utf-8", "surrogatepass")
    own = _PUBLIC_PREFIX.sub("", secret) or secret
    yield own
    yield from (line for line in own.splitlines() if len(_plain(line)) >= _MIN_MATCH)
    if len(_plain(own[:_MIN_MATCH])) > _MIN_MATCH // 2:
        yield own[:_MIN_MATCH]
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(raw).decode()
    yield raw.hex()


def _plain(text: str) -> str:
    """Return a text as it reads without any escapes, and without what is lost when texts are quoted."""
    for _ in range(_MAX_ESCAPE_LEVELS):
        if not _ESCAPE_MARKS.search(text):
            break
        before = text
        text = html.unescape(unquote(_BACKSLASH.sub(_unescape, text)))
        if text == before:
            break
    if text.isascii():
        return text.lower().translate(_LOST_ASCII)
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    folded = unicodedata.normalize("NFKC", paired).casefold()
    return "".join(
        letter for letter in folded if letter not in _QUOTES and unicodedata.category(letter)[0] not in "CZ"
    )


def _unescape(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2]
    return chr(int(digits, 16)) if digits else _LETTERS.get(escape[3], escape[3])


def _basic_password(credential: str) -> str:
    try:
        return base64.b64decode(credential, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
