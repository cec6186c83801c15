"""`verify` through a proxy: names that only the proxy resolves are asked through it, and the run says so."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from tests.idp.live import connect
from tests.idp.provider import METADATA, scripted_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.support.workplace import Workplace

ISSUER = "https://idp.example.com"


@contextmanager
def proxy_to(port: int) -> Iterator[tuple[str, list[str]]]:
    """Run a proxy whose tunnels all lead to one port; yield its URL, and the hosts that it is asked for."""
    asked: list[str] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(65536).split(b" ")[1].decode())
            with socket.create_connection(("127.0.0.1", port)) as server, suppress(OSError):
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(server, self.request), daemon=True)
                back.start()
                pump(self.request, server)
                back.join(timeout=5)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_address[1]}", asked
        finally:
            proxy.shutdown()
            thread.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


def test_a_proxy_resolves_what_this_machine_cannot_and_the_run_says_so(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
        return no_such_host() if host == "idp.example.com" else real(host, *arguments, **options)

    def no_such_host() -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with scripted_provider("idp.example.com") as provider:
        port = int(provider.issuer.rpartition(":")[2])
        provider.issuer = ISSUER
        provider.publish()
        connect(place, "acme", ISSUER)
        with proxy_to(port) as (url, asked):
            place.setenv("HTTPS_PROXY", url)
            run = place.run("verify", "--format", "json")
            text = place.run("verify").out
    assert run.code == 0
    assert run.document["proxied"]
    assert asked[:3] == ["idp.example.com:443"] * 3
    assert provider.paths[:3] == [METADATA, "/keys", "/authorize"]
    assert "its rules apply to host names that only it can resolve" in text
