"""The Internet as a proxy shows it: hosts of vendors, each with its own certificate and scripted answers."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.idp.provider import answer, read_request, server_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.idp.provider import Request, Script
    from tests.support.workplace import Workplace


@dataclass
class Vendors:
    """Scripts by URL without its scheme, port 443 and query; other URLs answer 404."""

    scripts: dict[str, Script] = field(default_factory=dict)

    def script(self, url: str, script: Script) -> None:
        self.scripts[_place(url)] = script

    def answer(self, host: str, request: Request) -> Iterator[bytes]:
        return self.scripts.get(_place(f"https://{host}{request.path}"), answer(404))(request)


def _place(url: str) -> str:
    return url.removeprefix("https://").partition("?")[0].replace(":443/", "/")


@contextmanager
def vendors(place: Workplace) -> Iterator[Vendors]:
    """Run a proxy that answers for every host; this machine itself resolves none but its own names."""
    network = Vendors()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            host = self.request.recv(65536).split(b" ")[1].decode()
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            context = server_context(host.partition(":")[0])
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as connection:
                connection.settimeout(20)
                for part in network.answer(host, read_request(connection)):
                    connection.sendall(part)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        place.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
        place.replace(socket, "getaddrinfo", _only_loopback(socket.getaddrinfo))
        try:
            yield network
        finally:
            server.shutdown()
            thread.join()


def _only_loopback(resolve: Any) -> Any:
    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host not in {"localhost", "127.0.0.1", b"127.0.0.1"}:
            raise socket.gaierror(socket.EAI_NONAME, "only the proxy resolves names of the Internet")
        return resolve(host, *arguments, **options)

    return look_up
