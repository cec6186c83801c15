"""A server on loopback that is no Vault: it records every byte, and answers with what it is given."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

HTML: Final = b"<html><title>Sign in</title></html>"


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return a whole answer, after which the connection ends."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode() + body


class Impostor(socketserver.ThreadingTCPServer):
    """Answers every request with ``answer``; without one it is silent until it is released."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: bytes, seconds_a_byte: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.seconds_a_byte = seconds_a_byte
        self.received: list[bytes] = []
        self.released = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.BaseRequestHandler):
    server: Impostor

    def handle(self) -> None:
        self.server.received.append(self.request.recv(65536))
        if not self.server.answer:
            self.server.released.wait(30)
        if not self.server.seconds_a_byte:
            self.request.sendall(self.server.answer)
            return
        with suppress(OSError):  # the client has gone
            for byte in self.server.answer:
                self.request.sendall(bytes([byte]))
                if self.server.released.wait(self.server.seconds_a_byte):
                    return


@contextmanager
def impostor(answer: bytes = b"", seconds_a_byte: float = 0) -> Iterator[Impostor]:
    with Impostor(answer, seconds_a_byte) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
