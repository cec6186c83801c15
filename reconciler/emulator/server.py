"""Serves an emulator over loopback, in a thread or in the foreground."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.emulator.emulator import Emulator, needing_extra
from reconciler.emulator.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.emulator.settings import EmulatorSettings
    from reconciler.emulator.transport import WebServer

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
    """An emulator in a background thread, stopped at the end of the block; port 0 takes a free one.

    Raises:
        OSError: the address cannot be bound.
        MissingExtraError: the extra `emulator` is not installed.
    """
    started = threading.Event()
    with _listening(settings, host, port) as (running, listener):
        server = _web_server(running.emulator, started.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="emulator", daemon=True)
        thread.start()
        try:
            if not started.wait(_START_SECONDS):
                raise RuntimeError("the emulator did not start")
            yield running
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS)


def serve(
    settings: EmulatorSettings | None = None,
    host: str = LOOPBACK,
    port: int = 0,
    on_ready: Callable[[RunningEmulator], None] | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; `on_ready` is called once it accepts requests.

    Raises:
        OSError: the address cannot be bound.
        MissingExtraError: the extra `emulator` is not installed.
    """
    with _listening(settings, host, port) as (running, listener):
        server = _web_server(running.emulator, lambda: on_ready(running) if on_ready else None)
        server.run([listener])


@contextmanager
def _listening(
    settings: EmulatorSettings | None, host: str, port: int
) -> Iterator[tuple[RunningEmulator, socket.socket]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.create_server((host, port), family=family, backlog=2048) as listener,
        closing(Emulator(settings)) as emulator,
    ):
        emulator.context.bound_url = _url(listener)
        yield RunningEmulator(emulator, emulator.context.bound_url), listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _web_server(emulator: Emulator, on_ready: Callable[[], None]) -> WebServer:
    with needing_extra():
        from reconciler.emulator.transport import WebServer  # noqa: PLC0415 -- needs the extra
    return WebServer(emulator.application, on_ready)
