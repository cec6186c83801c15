"""The request log, without secrets."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REDACTED = "[redacted]"
_SECRET_HEADERS = frozenset((
    "authorization", "cookie", "proxy-authorization", "x-stytch-member-session",
    "x-stytch-member-sessionjwt",
))  # fmt: skip
_SECRET_KEYS = frozenset((
    "client_secret", "secret", "private_key", "saml_encryption_private_key", "session_token", "session_jwt",
    "password", "code", "refresh_token", "access_token", "id_token", "sso_token", "code_verifier",
    "pkce_code_verifier", "state", "nonce",
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request: `status` is None if no response was sent; `applied` is true if its operation ran.

    `connection_id` is the connection that it created, updated or deleted.
    """

    number: int = 0
    operation: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    status: int | None = None
    error_type: str | None = None
    request_id: str = ""
    organization_id: str | None = None
    connection_id: str = ""
    started_at: float = 0.0
    duration: float = 0.0
    applied: bool = False
    faults: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether it requested a change."""
        return self.method in {"PUT", "DELETE", "PATCH"} or "create-" in self.operation


class RequestLog:
    """The last `capacity` requests, oldest first; safe to read from any thread."""

    def __init__(self, capacity: int) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=capacity)
        self._lock = threading.Lock()
        self._count = 0

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> tuple[LoggedRequest, ...]:
        """All logged requests."""
        with self._lock:
            return tuple(self._entries)

    @property
    def writes(self) -> tuple[LoggedRequest, ...]:
        """Requests for a change."""
        return tuple(entry for entry in self.entries if entry.writes)

    def of(self, operation: str) -> tuple[LoggedRequest, ...]:
        """Requests of `operation`, such as `create-oidc-connection`."""
        return tuple(entry for entry in self.entries if entry.operation == operation)

    def clear(self) -> None:
        """Delete all entries."""
        with self._lock:
            self._entries.clear()

    def add(self, entry: LoggedRequest) -> None:
        """Add an entry, with the next number, counted from 1."""
        with self._lock:
            self._count += 1
            self._entries.append(replace(entry, number=self._count))


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` without credentials; the scheme of Authorization remains."""
    return {name: _redacted_header(name, value) for name, value in headers.items()}


def redacted(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """A JSON value with the values of secret keys replaced."""
    if isinstance(value, dict):
        return {
            key: REDACTED if key in _SECRET_KEYS and item not in (None, "") else redacted(item)
            for key, item in value.items()
        }
    return [redacted(item) for item in value] if isinstance(value, list) else value


def _redacted_header(name: str, value: str) -> str:
    if name.lower() not in _SECRET_HEADERS:
        return value
    scheme = value.partition(" ")[0] if name.lower() == "authorization" and " " in value else ""
    return f"{scheme} {REDACTED}".strip()
