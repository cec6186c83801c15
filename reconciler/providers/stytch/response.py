"""Reads responses: status, JSON body, envelope and messages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reconciler.http.json_fields import parse_json
from reconciler.providers.stytch.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
"""After decompression; a list of a thousand organizations is about one hundredth of it."""

_LONGEST_MESSAGE: Final = 300
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")

_ENVELOPE_KEYS: Final = frozenset(
    {
        "request_id",
        "status_code",
        "connection",
        "connection_id",
        "oidc_connections",
        "saml_connections",
        "external_connections",
        "organization",
        "organizations",
    }
)


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """Status, body and the one header that matters; the body may hold secrets and is not shown."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the request was carried out (one official SDK expects 201 as well)."""
        return 200 <= self.status <= 299  # noqa: PLR2004  the bounds of HTTP's success statuses


def payload(response: ApiResponse, *, wrapped: bool) -> Mapping[str, Any] | None:
    """Return what a successful response holds, or None if it is not the API's own.

    ``wrapped``: the payload is expected under ``data``, as in the frontend API.
    """
    document = _parse_object(response.body)
    if document is not None and wrapped:
        inner = document.get("data")
        document = inner if isinstance(inner, dict) else None
    if document is None or _ENVELOPE_KEYS.isdisjoint(document):
        return None
    return None if _is_error(document) else document


def error_envelope(response: ApiResponse) -> Mapping[str, Any]:
    """Return the envelope of an error, or an empty one; the frontend API does not wrap it, but it might."""
    document = _parse_object(response.body) or {}
    inner = document.get("data")
    return inner if isinstance(inner, dict) else document


def identifier(document: Mapping[str, Any], name: str) -> str:
    """Return a short identifier from an envelope (error_type, request_id), or nothing."""
    value = document.get(name)
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else ""


def request_id(document: Mapping[str, Any]) -> str:
    """Return the request's id from an envelope, by which Stytch's support finds the call."""
    return identifier(document, "request_id")


def sanitize_message(message: object, secrets: Iterable[str] = ()) -> str:
    """Return the service's message as one bounded line, without control or invisible characters.

    A message that may repeat one of the ``secrets`` is withheld.
    """
    if not isinstance(message, str):
        return ""
    text = redact(message, secrets)[:4096]
    visible = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    line = " ".join(visible.split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]}…"


def _parse_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        document = parse_json(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _is_error(document: Mapping[str, Any]) -> bool:
    status = document.get("status_code")
    return isinstance(status, int) and status >= 300  # noqa: PLR2004  the end of HTTP's success statuses
