"""Serving an emulator over loopback with uvicorn, in a thread or in the foreground."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.emulator.emulator import Emulator
from reconciler.emulator.missing_extra import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import uvicorn

    from reconciler.emulator.settings import EmulatorSettings

LOOPBACK = "127.0.0.1"
_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator that listens at `base_url`."""

    emulator: Emulator
    base_url: str


@contextmanager
def running_emulator(
    settings: EmulatorSettings | None = None, *, host: str = LOOPBACK, port: int = 0
) -> Iterator[RunningEmulator]:
    """An emulator in a background thread, stopped at the end of the block; port 0 takes a free one."""
    emulator = Emulator(settings)
    listener = _listen(host, port)
    emulator.world.bound_url = base_url = _url(listener)
    server = _server(emulator)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="emulator", daemon=True)
    thread.start()
    try:
        _await_start(server, thread)
        yield RunningEmulator(emulator, base_url)
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
        listener.close()
        emulator.close()


def serve(
    settings: EmulatorSettings | None = None,
    host: str = LOOPBACK,
    port: int = 0,
    on_ready: Callable[[RunningEmulator], None] | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; `on_ready` is told once requests are accepted.

    Raises:
        OSError: the address cannot be bound.
    """
    emulator = Emulator(settings)
    listener = _listen(host, port)
    emulator.world.bound_url = base_url = _url(listener)
    server = _server(emulator)
    try:
        if on_ready is not None:
            on_ready(RunningEmulator(emulator, base_url))
        server.run(sockets=[listener])
    finally:
        listener.close()
        emulator.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    # accepted sockets inherit it; asyncio sets it only where the protocol was named at creation
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(emulator: Emulator) -> uvicorn.Server:
    try:
        import uvicorn  # noqa: PLC0415 -- needs the extra

        from reconciler.emulator.protocol import BreakableProtocol  # noqa: PLC0415 -- needs the extra
    except ImportError as error:
        raise MissingExtraError(error) from error
    config = uvicorn.Config(
        emulator.application,
        http=BreakableProtocol,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = threading.Event()
    for _ in range(int(_START_SECONDS / 0.005)):
        if server.started or not thread.is_alive():
            break
        deadline.wait(0.005)
    if not server.started:
        raise RuntimeError("the emulator did not start")
