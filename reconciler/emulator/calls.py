"""One call of the API as the operations see it, without HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from reconciler.emulator.errors import JsonObject
from reconciler.emulator.identifiers import environment_of

if TYPE_CHECKING:
    from reconciler.emulator.context import Context


class Surface(Enum):
    """Which of the two APIs is being called."""

    BACKEND = "backend"
    FRONTEND = "frontend"


@dataclass(frozen=True, slots=True)
class Permission:
    """What a member's roles must grant."""

    action: str
    resource: str = "stytch.sso"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the project, and the member when a session came along."""

    project: JsonObject
    member: JsonObject | None = None
    session: JsonObject | None = None

    @property
    def project_id(self) -> str:
        """The project's id."""
        return str(self.project["project_id"])

    @property
    def environment(self) -> str:
        """`test` or `live`."""
        return environment_of(self.project_id) or "test"


@dataclass(frozen=True, slots=True)
class Call:
    """A request past authentication: `organization` is the one named by the path or by the session."""

    operation: Operation
    caller: Caller
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict)
    organization: JsonObject | None = None
    base_url: str = ""

    @property
    def owner(self) -> JsonObject:
        """The organization of a call that always has one."""
        assert self.organization is not None
        return self.organization

    @property
    def organization_id(self) -> str:
        """The real id of `owner`."""
        return str(self.owner["organization_id"])


Handler = Callable[["Context", Call], Awaitable[JsonObject]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint: `name` is what faults, limits and the request log call it."""

    name: str
    method: str
    path: str
    handle: Handler
    surface: Surface = Surface.BACKEND
    permission: Permission | None = None
    session_needed: bool = True  # frontend only

    @property
    def writes(self) -> bool:
        """Whether it changes what the API stores."""
        return self.method in {"PUT", "DELETE"} or "create-" in self.name
