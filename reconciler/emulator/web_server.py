"""uvicorn, adapted: its connections can be broken, and a signal ends it without an exception."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.emulator.delivery import TRANSPORT

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Iterator

    from reconciler.emulator.application import Application

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class BreakableProtocol(H11Protocol):
    """Puts the transport into each request's `scope["state"]`, where a fault can get at it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the event loop."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class WebServer(uvicorn.Server):
    """Serves `application`; `on_ready` is called once requests are accepted and signals are heeded."""

    def __init__(self, application: Application, on_ready: Callable[[], None]) -> None:
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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the server; unlike uvicorn, they are not raised again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
