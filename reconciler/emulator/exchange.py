"""One request on its way through the emulator; endpoints that answer without the API's conventions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.emulator.answers import Answer
from reconciler.emulator.calls import Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context

PlainHandler = Callable[["Context", "Exchange"], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class PlainRoute:
    """An endpoint that is no part of the API: an identity provider's, or the control endpoint's."""

    name: str
    method: str
    path: str
    handle: PlainHandler
    logged: bool = True

    @property
    def writes(self) -> bool:
        """Never: it changes nothing that the API stores on a client's behalf."""
        return False


Endpoint = Operation | PlainRoute


@dataclass(slots=True)
class Exchange:
    """A request; `organization_id`, `body` and `applied` are filled in as they become known."""

    endpoint: Endpoint
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    base_url: str
    secure: bool
    request_id: str
    organization_id: str | None = None
    body: Any = field(default_factory=dict)
    applied: bool = False
