"""A write that waited is sent right after somebody looked again, and not otherwise."""

from __future__ import annotations

import asyncio
import contextlib

import httpx

from reconciler.core.errors import Unavailable
from reconciler.http.clock import Clock
from reconciler.providers.base import Recheck
from reconciler.providers.stytch.call import ApiRequest, read
from reconciler.providers.stytch.client import Client
from reconciler.providers.stytch.rate_limiter import RateLimiter
from tests.providers.in_process import in_process
from tests.providers.support import WALL, run

LATENCY = 0.02
RATE = 2.0


class Service(httpx.AsyncBaseTransport):
    """Refuses two other calls, one before the write's recheck and one right after it."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, float]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, loop = request.url.path, asyncio.get_running_loop()
        await asyncio.sleep(LATENCY)
        self.arrived.append((path, loop.time()))
        if path == "/early" and len(self.times(path)) == 1:
            return refusal(quiet=5)
        if path == "/slow" and len(self.times(path)) <= 2:
            await asyncio.sleep(max(0.0, 6.2 - loop.time()))
            return refusal(quiet=50)
        return httpx.Response(200, json={"request_id": "request-id-test-1"})

    def times(self, path: str) -> list[float]:
        return [time for arrived, time in self.arrived if arrived == path]


def refusal(quiet: int) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": str(quiet)}, json={"status_code": 429})


def test_a_refusal_between_looking_and_writing_has_somebody_look_again() -> None:
    service = Service()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock = Clock(loop.time, lambda: WALL + loop.time(), chance=lambda: 0.5)
        client = Client(in_process(service), RateLimiter(RATE, 8, clock), headers=dict, clock=clock)

        async def read_again() -> float:
            _, read_at = await client.send_timed(read("/recheck", "what is live"))
            return read_at

        async def send(request: ApiRequest, after: float) -> None:
            await asyncio.sleep(after)
            with contextlib.suppress(Unavailable):
                await client.send(request)

        recheck = Recheck(loop.time(), read_again)
        write = ApiRequest(method="PUT", path="/write", subject="a write", writes=True, recheck=recheck)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send(read("/slow", "an older call"), 0.0))
            tasks.create_task(send(read("/early", "another call"), 0.01))
            tasks.create_task(send(write, 0.03))

    run(main())
    (written,) = service.times("/write")
    looks = service.times("/recheck")
    assert len(looks) > 1, "the first look was too early to rely on"
    assert written > 100, "both pauses are over"
    assert written - max(looks) < 2 / RATE
