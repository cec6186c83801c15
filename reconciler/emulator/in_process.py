"""An httpx transport onto an emulator in the same process; broken connections look as on a network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from reconciler.emulator.connection_lost import ConnectionLostError

if TYPE_CHECKING:
    from reconciler.emulator.emulator import Emulator


class InProcessTransport(httpx.AsyncBaseTransport):
    """For `httpx.AsyncClient(transport=...)`: a lost connection is an `httpx.ReadError`, a hang times out."""

    def __init__(self, emulator: Emulator) -> None:
        self._transport = httpx.ASGITransport(emulator.application)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises `httpx.ReadError` or `httpx.ReadTimeout`."""
        patience = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(patience):
                return await self._transport.handle_async_request(request)
        except ConnectionLostError as error:
            raise httpx.ReadError(str(error), request=request) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout("the emulator did not answer in time", request=request) from error

    async def aclose(self) -> None:
        """Nothing is open."""
        await self._transport.aclose()
