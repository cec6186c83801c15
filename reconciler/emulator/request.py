"""HTTP requests and responses, API calls, and the two kinds of endpoint that answer them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reconciler.emulator.context import Context
from reconciler.emulator.errors import JsonObject

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Response:
    """A response to send; `error_type` is for the request log."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    error_type: str | None = None


def json_response(status: int, document: object, **headers: str) -> Response:
    """A response with a JSON body; underscores in the names of `headers` become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps(document, separators=(",", ":")).encode(), headers=named)


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated project, and the member if the request carried a session."""

    project: JsonObject
    member: JsonObject | None = None
    session: JsonObject | None = None

    @property
    def project_id(self) -> str:
        """The project's id."""
        return str(self.project["project_id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """An authenticated call; `organization` is the one named by the path or by the session."""

    caller: Caller
    path_params: Mapping[str, str]
    body: JsonObject
    organization: JsonObject | None
    base_url: str

    @property
    def owner(self) -> JsonObject:
        """The organization of a call that always has one."""
        assert self.organization is not None
        return self.organization

    @property
    def organization_id(self) -> str:
        """The id of `owner`."""
        return str(self.owner["organization_id"])


@dataclass(frozen=True, slots=True)
class Operation:
    """An endpoint of the API; faults, limits and the request log use its `name`.

    It belongs to the backend API, or to the `frontend` API of the SDKs; `permission` is an action on
    `stytch.sso` that a member's roles must grant.
    """

    name: str
    method: str
    path: str
    handle: ApiHandler
    permission: str | None = None
    frontend: bool = False
    session_needed: bool = True  # frontend only

    @property
    def writes(self) -> bool:
        """Whether it changes stored data."""
        return self.method in {"PUT", "DELETE"} or "create-" in self.name


@dataclass(frozen=True, slots=True)
class PlainRoute:
    """An endpoint outside the API: of the identity provider or of the control API."""

    name: str
    method: str
    path: str
    handle: PlainHandler
    logged: bool = True
    writes: ClassVar[bool] = False  # it stores nothing on behalf of an API client


Endpoint = Operation | PlainRoute


@dataclass(slots=True)
class Progress:
    """What the pipeline has learned about a request so far; the request log records it."""

    body: Any = field(default_factory=dict)
    organization_id: str | None = None
    connection_id: str = ""
    applied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request and the endpoint that it matched."""

    endpoint: Endpoint
    method: str
    path: str
    path_params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    base_url: str
    secure: bool
    request_id: str
    progress: Progress = field(default_factory=Progress)

    @property
    def from_frontend(self) -> bool:
        """Whether it calls the frontend API."""
        return isinstance(self.endpoint, Operation) and self.endpoint.frontend


ApiHandler = Callable[[Context, ApiCall], Awaitable[JsonObject]]
PlainHandler = Callable[[Context, Request], Awaitable[Response]]
