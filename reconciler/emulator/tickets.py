"""Short-lived secrets of logins: the state of a relying party, codes, access tokens and SSO tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_CAPACITY = 10_000


class Tickets:
    """The values of tickets, until they are taken or expire; `now` returns the time in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._tickets: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}

    def issue(self, kind: str, value: dict[str, Any], seconds: float) -> str:
        """A new ticket of `kind` for `value`; the oldest go if there are too many."""
        while len(self._tickets) >= _CAPACITY:
            del self._tickets[next(iter(self._tickets))]
        ticket = secrets.token_urlsafe(32)
        self._tickets[kind, ticket] = self._now() + seconds, value
        return ticket

    def take(self, kind: str, ticket: object) -> dict[str, Any] | None:
        """What `ticket` stands for, once; None if it is unknown, used or expired."""
        value = self.look(kind, ticket)
        self._tickets.pop((kind, str(ticket)), None)
        return value

    def look(self, kind: str, ticket: object) -> dict[str, Any] | None:
        """As `take`, for a ticket that may be used again."""
        expires_at, value = self._tickets.get((kind, str(ticket)), (0.0, {}))
        return value if expires_at > self._now() else None


def code_challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE code verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def matches_challenge(verifier: object, challenge: str | None) -> bool:
    """Whether `verifier` fits; without a challenge there must be no verifier."""
    if not challenge:
        return not verifier
    return isinstance(verifier, str) and hmac.compare_digest(
        code_challenge(verifier).encode(), challenge.encode()
    )
