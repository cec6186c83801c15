"""The interface that every client is wrapped in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Session = dict[str, Any]
"""A member's session: its `session_token` and `session_jwt`."""


@dataclass
class ApiError(Exception):
    """An error response of the API, as the client parsed it."""

    status: int
    error_type: str
    request_id: str


class Client(Protocol):
    """One of Stytch's SDKs; the browser SDK ignores `organization` and uses that of its session."""

    def create(self, organization: str, **fields: Any) -> Any:
        """Create an OIDC connection and return it."""
        ...

    def update(self, organization: str, connection_id: str, **fields: Any) -> Any:
        """Update an OIDC connection and return it."""
        ...

    def list(self, organization: str) -> Any:
        """Return the three lists of connections."""
        ...

    def delete(self, organization: str, connection_id: str) -> str:
        """Delete a connection and return the id in the response."""
        ...

    def organization(self, organization: str) -> Any:
        """Return an organization by id, slug or external id."""
        ...

    def find(self, slug: str) -> str:
        """Search an organization by slug and return its id."""
        ...


def value_of(result: Any) -> Any:
    """Return the value of a call through JavaScript.

    Raises:
        ApiError: the API returned an error.
    """
    if error := result.get("error"):
        assert "error_type" in error, error["message"]
        raise ApiError(error["status_code"], error["error_type"], error["request_id"])
    return result["value"]
