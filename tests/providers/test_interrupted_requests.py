"""A request that is interrupted never takes a connection away from the requests after it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.providers.stytch.http_transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
PATIENCE = 5.0
"""Seconds; the transport itself waits for ever."""


class Stalling:
    """Stops once at a point of an exchange, and answers all others."""

    def __init__(self, stalls_after: bytes) -> None:
        self._stalls_after = stalls_after
        self.stalled = asyncio.Event()
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if not self.stalled.is_set():
                    writer.write(self._stalls_after)
                    await writer.drain()
                    self.stalled.set()
                    await reader.read()
                    return
                writer.write(HEADERS + b"{}")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(server: Stalling) -> AsyncIterator[str]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


async def get(transport: HttpTransport) -> int:
    return (await transport.exchange("GET", "/", {}, None, 1000)).status


async def cancel(transport: HttpTransport, moment: asyncio.Event) -> None:
    request = asyncio.create_task(get(transport))
    await moment.wait()
    await asyncio.sleep(0.05)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def cancel_twice(transport: HttpTransport, moment: asyncio.Event) -> None:
    """Cancel again in the midst of cleaning up, as when a deadline and Ctrl-C coincide."""
    request = asyncio.create_task(get(transport))
    await moment.wait()
    await asyncio.sleep(0.05)
    request.cancel()
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def miss_the_deadline(transport: HttpTransport, moment: asyncio.Event) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await get(transport)


INTERRUPTIONS = [cancel, cancel_twice, miss_the_deadline]
STALLS = {
    "headers": b"",
    "half of the headers": HEADERS[:9],
    "body": HEADERS,
    "half of the body": HEADERS + b"{",
}


@pytest.mark.parametrize("interrupt", INTERRUPTIONS)
@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("is_kept", [False, True])
def test_the_next_request_works(interrupt: Any, stall: str, is_kept: bool) -> None:
    async def main() -> None:
        server = Stalling(STALLS[stall])
        async with serving(server) as address, HttpTransport(address) as transport:
            if is_kept:
                server.stalled.set()
                assert await get(transport) == 200
                server.stalled.clear()
            await interrupt(transport, server.stalled)
            assert server.connections == 1
            async with asyncio.timeout(PATIENCE):
                assert [await get(transport) for _ in range(3)] == [200] * 3
        assert server.connections == 2

    asyncio.run(main())
