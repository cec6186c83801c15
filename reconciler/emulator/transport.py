"""Sends outcomes to clients: over uvicorn, where a fault can break the connection, or in process."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, assert_never

import httpx
import uvicorn
from starlette.responses import Response as StarletteResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.emulator.errors import ConnectionLostError
from reconciler.emulator.pipeline import Lost, Truncated
from reconciler.emulator.request import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.emulator.pipeline import Outcome

_TRANSPORT = "emulator.transport"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def deliver(
    outcome: Outcome, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
) -> None:
    """Send `outcome` with additional `headers`.

    Raises:
        ConnectionLostError: in process, where there is no connection to break.
    """
    match outcome:
        case Response():
            await _with_headers(outcome, headers)(scope, receive, send)
        case Lost(seconds):
            if not await _disconnects_within(seconds, receive):
                await _reset(scope, receive)
        case Truncated(response):
            await _send_half(_with_headers(response, headers), send)
            await _close(scope, receive)
        case _:
            assert_never(outcome)


class InProcessTransport(httpx.AsyncBaseTransport):
    """For `httpx.AsyncClient(transport=...)`: a lost connection is an `httpx.ReadError`, a hang times out."""

    def __init__(self, application: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(application)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises `httpx.ReadError` or `httpx.ReadTimeout`."""
        read_timeout = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(read_timeout):
                return await self._transport.handle_async_request(request)
        except ConnectionLostError as error:
            raise httpx.ReadError(str(error), request=request) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout("the emulator did not answer in time", request=request) from error

    async def aclose(self) -> None:
        """Close the ASGI transport."""
        await self._transport.aclose()


class BreakableProtocol(H11Protocol):
    """Puts the connection into each request's `scope["state"]`, so that a fault can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the event loop."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


class WebServer(uvicorn.Server):
    """Serves `application`; calls `on_ready` once it accepts requests and handles signals.

    uvicorn ends within some tenths of a second, so that requests can be answered; `stop` ends it at once.
    """

    def __init__(self, application: ASGIApp, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http=BreakableProtocol,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self._on_ready = on_ready
        self._ticking: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Stop from another thread; a request that is not answered yet loses its connection."""
        self.should_exit = self.force_exit = True
        if self._ticking:
            self._ticking.get_loop().call_soon_threadsafe(self._ticking.cancel)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def main_loop(self) -> None:
        """Called by uvicorn."""
        self._ticking = asyncio.create_task(super().main_loop())
        await asyncio.wait({self._ticking})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn."""
        if not self.force_exit:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # the event loop closes what is aborted

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM; unlike uvicorn, do not raise them again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _with_headers(response: Response, headers: Mapping[str, str]) -> StarletteResponse:
    return StarletteResponse(
        response.body, response.status, {**headers, **response.headers}, response.media_type
    )


async def _disconnects_within(seconds: float, receive: Receive) -> bool:
    """Whether the client disconnects within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await _until_disconnected(receive)
    except TimeoutError:
        return False
    return True


async def _reset(scope: Scope, receive: Receive) -> None:
    transport = _connection(scope, "the connection was reset before an answer arrived")
    if transport.is_closing():  # the client has disconnected first
        return
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
    await _until_disconnected(receive)


async def _send_half(response: StarletteResponse, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    half = bytes(response.body[: len(response.body) // 2])
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def _close(scope: Scope, receive: Receive) -> None:
    transport = _connection(scope, "the connection ended in the middle of an answer")
    transport.close()
    await _until_disconnected(receive)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _connection(scope: Scope, loss: str) -> asyncio.Transport:
    """The client's connection; in process there is none, and `loss` is raised."""
    transport = scope.get("state", {}).get(_TRANSPORT)
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionLostError(loss)
    return transport
