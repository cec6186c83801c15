"""A loop in which time passes only while everyone waits, and a server that says what it is told to."""

from __future__ import annotations

import asyncio
import selectors
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from reconciler.core.run_selection import Limits
from reconciler.core.secret import Secret
from reconciler.core.state import Organization
from reconciler.http.clock import Clock
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget, SessionTarget, Target
from tests.providers.in_process import in_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from reconciler.providers.stytch.backend import Backend
    from reconciler.providers.stytch.session import Session

T = TypeVar("T")

WALL = 1_800_000_000.0
"""What the calendar says when a virtual loop starts: 2027-01-15 08:00:00 UTC."""

SECRET = "secret-test-canary-project"
TOKEN = "canary-session-token"
CLIENT_SECRET = "canary-client-secret"
CANARIES = (SECRET, TOKEN, CLIENT_SECRET)

ACME = Organization(organization_id="organization-test-acme", slug="acme")
CONNECTION_ID = "oidc-connection-test-1"

PROJECT = ProjectTarget(project_id="project-test-1", secret=Secret(SECRET), base_url="http://127.0.0.1:1")
MEMBER = SessionTarget(
    public_token="public-token-test-1", session_token=Secret(TOKEN), base_url="http://127.0.0.1:1"
)


class _Selector(selectors.SelectSelector):
    """Never waits: where nothing is ready, the time that would be waited has passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everyone waits for something that will not come")
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def clock(chance: float = 0.0) -> Clock:
    """The clock of the running virtual loop; with ``chance`` 0 back-off is 1, 2, 4, … seconds."""
    loop = asyncio.get_running_loop()
    return Clock(monotonic=loop.time, wall=lambda: WALL + loop.time(), chance=lambda: chance)


Step = Any  # httpx.Response | Exception | float (seconds of silence) | callable(request) -> Step


class Script:
    """Answers each request with the next step; the last one stays."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(asyncio.get_running_loop().time())
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if callable(step):
            step = step(request)
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, (int, float)):
            await asyncio.sleep(step)
            step = ok()
        # a fresh copy, so that a step can be given several times
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def ok(**body: Any) -> httpx.Response:
    return httpx.Response(200, json={"request_id": "request-id-test-1", "status_code": 200, **body})


def wrapped(**body: Any) -> httpx.Response:
    inner = {"request_id": "request-id-test-1", "status_code": 200, **body}
    return httpx.Response(200, json={"data": inner})


def refused(
    status: int, error_type: str = "some_error", message: str = "It said no.", **headers: str
) -> httpx.Response:
    body = {
        "status_code": status,
        "request_id": "request-id-test-9",
        "error_type": error_type,
        "error_message": message,
        "error_url": "https://example.com",
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


def organization(number: int | str, **fields: Any) -> dict[str, Any]:
    return {
        "organization_id": f"organization-test-{number}",
        "organization_slug": str(number),
        "organization_name": f"Organization {number}",
        **fields,
    }


def connection(connection_id: str = CONNECTION_ID, **fields: Any) -> dict[str, Any]:
    return {
        "organization_id": ACME.organization_id,
        "connection_id": connection_id,
        "status": "pending",
        "display_name": "Acme Okta",
        "identity_provider": "okta",
        "redirect_url": f"https://test.stytch.com/v1/b2b/sso/callback/{connection_id}",
        **fields,
    }


@asynccontextmanager
async def provider(
    script: Callable[[httpx.Request], Any],
    target: Target = PROJECT,
    *,
    chance: float = 0.0,
    rate: float = 1000.0,
    concurrency: int = 8,
    retry_timeout: float = 120.0,
) -> AsyncIterator[Backend | Session]:
    limits = Limits(requests_per_second=rate, concurrency=concurrency)
    transport = in_process(httpx.MockTransport(script))
    async with connect(
        target, limits, transport=transport, clock=clock(chance), retry_timeout=retry_timeout
    ) as connected:
        yield connected


def ask(
    script: Callable[[httpx.Request], Any],
    question: Callable[[Any], Coroutine[Any, Any, T]],
    target: Target = PROJECT,
    **options: Any,
) -> T:
    """Connect to the script, ask one question, and return the answer."""

    async def main() -> T:
        async with provider(script, target, **options) as connected:
            return await question(connected)

    return run(main())
