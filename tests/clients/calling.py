"""What every client is asked to do, and how it says that it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Session = dict[str, Any]
"""A member's session: its `session_token` and `session_jwt`."""


@dataclass
class Refused(Exception):
    """The API's refusal, as the client understood it."""

    status: int
    error_type: str
    request_id: str


class Client(Protocol):
    """One of Stytch's SDKs; where there is only one organization to speak of, its name is not used."""

    def create(self, organization: str, **fields: Any) -> Any:
        """Create an OIDC connection, and return it."""
        ...

    def update(self, organization: str, connection_id: str, **fields: Any) -> Any:
        """Update an OIDC connection, and return it."""
        ...

    def list(self, organization: str) -> Any:
        """Return the answer with the three lists of connections."""
        ...

    def delete(self, organization: str, connection_id: str) -> str:
        """Delete a connection, and return its id as the API repeats it."""
        ...

    def organization(self, organization: str) -> Any:
        """Return an organization by one of its names."""
        ...

    def find(self, slug: str) -> str:
        """Return the id of the organization that a search by slug finds."""
        ...


def value_of(answer: Any) -> Any:
    """Return what a call through JavaScript brought.

    Raises:
        Refused: the API said no.
    """
    if error := answer.get("error"):
        assert "error_type" in error, error["message"]
        raise Refused(error["status_code"], error["error_type"], error["request_id"])
    return answer["value"]
