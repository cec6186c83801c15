"""What was asked of the emulator, without secrets."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REDACTED = "[redacted]"
_SECRET_HEADERS = frozenset(
    {
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-stytch-member-session",
        "x-stytch-member-sessionjwt",
    }
)
_SECRET_KEYS = frozenset(
    {
        "client_secret",
        "secret",
        "private_key",
        "saml_encryption_private_key",
        "session_token",
        "session_jwt",
        "password",
        "code",
        "refresh_token",
        "access_token",
        "id_token",
    }
)


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request: `status` is None when no answer was sent; `applied` says whether it was done."""

    number: int
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
    started_at: float = 0.0
    duration: float = 0.0
    applied: bool = False
    faults: tuple[str, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether it asked for a change."""
        return self.method in {"PUT", "DELETE", "PATCH"} or "create-" in self.operation

    def as_document(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


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
        """Every request that is remembered."""
        with self._lock:
            return tuple(self._entries)

    @property
    def writes(self) -> tuple[LoggedRequest, ...]:
        """Those that asked for a change."""
        return tuple(entry for entry in self.entries if entry.writes)

    def of(self, operation: str) -> tuple[LoggedRequest, ...]:
        """Those of one operation, such as `create-oidc-connection`."""
        return tuple(entry for entry in self.entries if entry.operation == operation)

    def clear(self) -> None:
        """Forget every request."""
        with self._lock:
            self._entries.clear()

    def next_number(self) -> int:
        """The number of the next request, counted from 1 and never used twice."""
        with self._lock:
            self._count += 1
            return self._count

    def add(self, entry: LoggedRequest) -> None:
        """Remember a request."""
        with self._lock:
            self._entries.append(entry)


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` without credentials; the scheme of Authorization stays readable."""
    return {name: _redacted_header(name, value) for name, value in headers.items()}


def redacted(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """A JSON value without the values of secret keys."""
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
