"""Passes connections on to a server on loopback, and keeps every byte that is sent to it."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class Relay(socketserver.ThreadingTCPServer):
    """Stands in front of one server; ``sent`` are the parts that clients sent, in their order."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(target)
        self.target = (parts.hostname, parts.port)
        self.sent: list[bytes] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as server, suppress(OSError):
            threading.Thread(target=_pass_on, args=(server, self.request), daemon=True).start()
            while part := self.request.recv(65536):
                self.server.sent.append(part)
                server.sendall(part)


def _pass_on(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while part := server.recv(65536):
            client.sendall(part)


@contextmanager
def relay(target: str) -> Iterator[Relay]:
    with Relay(target) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
