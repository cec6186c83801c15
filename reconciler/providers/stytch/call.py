"""A request to the API and its response as values: path, JSON body, envelope and messages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reconciler.core.errors import RequestRejected
from reconciler.http.json_fields import parse_json
from reconciler.http.redaction import MIN_SECRET_LENGTH, contains_secret, redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.providers.base import Recheck

READ_DEADLINE: Final = 30.0
"""Seconds for a whole response. The organization search is known to take up to 9 of them."""

WRITE_DEADLINE: Final = 60.0
"""Seconds for an update: the server may fetch the identity provider's metadata inside it."""

MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
"""After decompression; a list of a thousand organizations is about one hundredth of it."""

_LONGEST_MESSAGE: Final = 300
ERROR_TYPE: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+){0,15}")
REQUEST_ID: Final = re.compile(r"request-[A-Za-z0-9]+(?:-[A-Za-z0-9]+){0,8}")
_LONGEST_IDENTIFIER: Final = 100

_SECRET_FIELDS: Final = ("client_secret", "sso_token", "pkce_code_verifier", "session_token")

_ENVELOPE_KEYS: Final = frozenset((
    "request_id", "status_code", "connection", "connection_id", "oidc_connections", "saml_connections",
    "external_connections", "organization", "organizations",
))  # fmt: skip


@dataclass(slots=True)
class ByteBudget:
    """How many bytes several responses may have together; ``remaining`` falls with each of them."""

    total: int
    remaining: int

    @classmethod
    def of(cls, total: int) -> ByteBudget:
        """Return an untouched budget."""
        return cls(total, total)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A request, and how messages name it.

    ``subject`` completes "GET …", for example ``connections of organization 'organization-…'``.
    ``body`` may hold secrets, so it is left out of the representation.
    ``deadline`` is in seconds, for one attempt. ``byte_budget`` is shared by the pages of one search.
    ``recheck`` reads again before the request is sent again, or late, and raises if it must not be sent.
    ``permission`` is what a member session needs for it, where that is none on connections.
    """

    method: str
    path: str
    subject: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    writes: bool = False
    deadline: float = READ_DEADLINE
    byte_budget: ByteBudget | None = None
    recheck: Recheck | None = field(default=None, repr=False)
    permission: str = ""

    @property
    def kind(self) -> str:
        """What fails or works together: all reads, all searches, all creates, and so on."""
        return f"{self.method} writes" if self.writes else self.method

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets in the body."""
        values = [self.body.get(name) for name in _SECRET_FIELDS] if self.body else ()
        return tuple(value for value in values if isinstance(value, str) and value)

    def __str__(self) -> str:
        """Return the method and the subject."""
        return f"{self.method} {self.subject}"


def read(path: str, subject: str) -> ApiRequest:
    """Return a GET."""
    return ApiRequest(method="GET", path=path, subject=subject)


def search(path: str, subject: str, body: Mapping[str, Any], budget: ByteBudget) -> ApiRequest:
    """Return a POST that changes nothing, for one page of a search."""
    return ApiRequest(method="POST", path=path, subject=subject, body=body, byte_budget=budget)


def write(
    method: str,
    path: str,
    subject: str,
    body: Mapping[str, Any] | None = None,
    recheck: Recheck | None = None,
) -> ApiRequest:
    """Return a request that changes something."""
    return ApiRequest(
        method=method,
        path=path,
        subject=subject,
        body=body,
        writes=True,
        deadline=WRITE_DEADLINE,
        recheck=recheck,
    )


def segment(value: str) -> str:
    """Return a value as one segment of a path; only unreserved characters stay literal.

    Raises:
        RequestRejected: the value is empty or a dot segment, which would change the path's meaning.
    """
    if value in {"", ".", ".."}:
        raise RequestRejected(f"{value!r} cannot be part of a request's path; use the real id")
    return quote(value, safe="")


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
        inner = None if _is_error(document) else document.get("data")
        document = inner if isinstance(inner, dict) else None
    if document is None or _ENVELOPE_KEYS.isdisjoint(document):
        return None
    return None if _is_error(document) else document


def error_envelope(response: ApiResponse) -> Mapping[str, Any]:
    """Return the envelope of an error, or an empty one; the frontend API does not wrap it, but it might."""
    document = _parse_object(response.body) or {}
    inner = document.get("data")
    return inner if isinstance(inner, dict) else document


def identifier(document: Mapping[str, Any], name: str, form: re.Pattern[str], secrets: Iterable[str]) -> str:
    """Return a short identifier of a known form, or nothing, also if it may repeat one of the ``secrets``."""
    value = document.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_IDENTIFIER or not form.fullmatch(value):
        return ""
    long_secrets = (secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH)
    return "" if contains_secret(value, long_secrets) else value


def request_id(document: Mapping[str, Any], secrets: Iterable[str] = ()) -> str:
    """Return the request's id from an envelope, by which Stytch's support finds the call."""
    return identifier(document, "request_id", REQUEST_ID, secrets)


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
    if any(document.get(name) for name in ("error_type", "error_message", "error")):
        return True
    status = document.get("status_code", 200)
    return type(status) is not int or not 200 <= status <= 299  # noqa: PLR2004  HTTP's success statuses
