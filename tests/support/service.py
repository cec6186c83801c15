"""The emulator in the same process, as a real service is in one respect: it ends what it has begun."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import Emulator

    Hook = Callable[["Moment", httpx.Request], None]


class Moment(Enum):
    """Where in the life of a request something happens."""

    BEFORE = "before it is sent"
    DURING = "while it is under way"
    AFTER = "once it is answered"


class Service(httpx.AsyncBaseTransport):
    """Sends requests to an emulator; a client that gives up, or dies, does not undo what it has sent.

    ``runner`` is written into each request, so that the request log tells who sent it. ``hook`` is
    told of each request before it is sent, while it is under way, and once it is answered; it may
    interfere. ``frozen`` tells for how many seconds the client does not get to see an answer.
    """

    def __init__(
        self,
        emulator: Emulator,
        runner: str = "",
        hook: Hook = lambda _moment, _request: None,
        frozen: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._transport = emulator.transport()
        self._runner = runner
        self._hook = hook
        self._frozen = frozen
        self._begun: set[asyncio.Task[httpx.Response]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Runner"] = self._runner
        self._hook(Moment.BEFORE, request)
        await asyncio.sleep(0)  # who is cancelled by the hook sends nothing any more
        task = asyncio.create_task(self._transport.handle_async_request(request))
        self._begun.add(task)
        task.add_done_callback(self._ended)
        self._hook(Moment.DURING, request)
        response = await asyncio.shield(task)
        self._hook(Moment.AFTER, request)
        await asyncio.sleep(self._frozen())
        return response

    async def settle(self) -> None:
        """Wait until nothing that was begun is under way any more."""
        while self._begun:
            await asyncio.wait(self._begun)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._begun.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, since the client may have been cancelled
