"""The emulator in the same process, as a real service is in one respect: it ends what it has begun."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from reconciler.emulator import Emulator


class Service(httpx.AsyncBaseTransport):
    """Sends requests to an emulator; a client that gives up, or dies, does not undo what it has sent.

    ``runner`` is written into each request, so that the request log tells who sent it.
    """

    def __init__(self, emulator: Emulator, runner: str = "") -> None:
        self._transport = emulator.transport()
        self._runner = runner
        self._begun: set[asyncio.Task[httpx.Response]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Runner"] = self._runner
        task = asyncio.create_task(self._transport.handle_async_request(request))
        self._begun.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait until nothing that was begun is under way any more."""
        while self._begun:
            await asyncio.wait(self._begun)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._begun.discard(task)
        if not task.cancelled():
            task.exception()  # taken note of: whoever asked may have gone
