"""Taking our secrets out of foreign words, in whichever form a service may repeat them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLACEHOLDER: Final = "(sensitive value)"
_PROVING: Final = ("authorization", "x-stytch-member-session", "x-stytch-member-sessionjwt")


def credentials_in(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return what in the headers proves who calls; of Basic credentials the password in clear, too."""
    proofs = [value.rpartition(" ")[2] for name, value in headers.items() if name.lower() in _PROVING]
    return (*proofs, *(password for proof in proofs if (password := _password(proof))))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return the text with every secret replaced, as it is, escaped or encoded; longest first."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _PLACEHOLDER)
    return text


def _forms(secret: str) -> Iterable[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(raw, safe="")
    yield base64.b64encode(raw).decode()


def _password(proof: str) -> str:
    try:
        return base64.b64decode(proof, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
