"""A request to the API as a value, and how messages describe it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reconciler.core.errors import RequestRejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.providers.base import Recheck

READ_DEADLINE: Final = 30.0
"""Seconds for a whole response. The organization search is known to take up to 9 of them."""

WRITE_DEADLINE: Final = 60.0
"""Seconds for an update: the server may fetch the identity provider's metadata inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A request, and how messages name it.

    ``subject`` completes "GET …", for example ``connections of organization 'organization-…'``.
    ``body`` may hold a client secret, so it is left out of the representation.
    ``deadline`` is in seconds, for one attempt. ``recheck`` is awaited before the request is sent again,
    or late because the API refused other requests, and raises if it must not be sent.
    """

    method: str
    path: str
    subject: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    writes: bool = False
    deadline: float = READ_DEADLINE
    recheck: Recheck | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """What fails or works together: all reads, all searches, all creates, and so on."""
        return f"{self.method} writes" if self.writes else self.method

    @property
    def client_secret(self) -> str:
        """The client secret that is sent with the request, or nothing."""
        secret = self.body.get("client_secret") if self.body else None
        return secret if isinstance(secret, str) else ""

    def __str__(self) -> str:
        """Return the method and the subject."""
        return f"{self.method} {self.subject}"


def read(path: str, subject: str) -> ApiRequest:
    """Return a GET."""
    return ApiRequest(method="GET", path=path, subject=subject)


def search(path: str, subject: str, body: Mapping[str, Any]) -> ApiRequest:
    """Return a POST that changes nothing."""
    return ApiRequest(method="POST", path=path, subject=subject, body=body)


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
