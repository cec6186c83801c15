"""The real transport against real sockets: what is on the wire, and what broken wires mean."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler import __version__
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import MalformedAnswer, ProviderError, Unavailable, UnknownOutcome, UsageError
from reconciler.core.run_selection import Limits
from reconciler.core.secret import Secret
from reconciler.core.state import Organization
from reconciler.http.clock import Clock
from reconciler.providers.stytch import http_transport
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget
from tests.providers.support import ACME, CONNECTION_ID, SECRET, connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

GOOD = json.dumps(
    {"request_id": "r", "status_code": 200, "connection": connection(), "oidc_connections": [connection()]}
).encode()


def answer(
    body: bytes = GOOD, *, length: int | None = None, extra: bytes = b"", status: bytes = b"200 OK"
) -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status, size, extra, body)


RESET = b"RESET"
CLOSE = b"CLOSE"


class Wire:
    """A server that answers the requests, however they come in, with the given bytes in order."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def methods(self) -> list[str]:
        return [request.split(b" ", 1)[0].decode() for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read_request(reader)
        if not request:
            return False
        self.requests.append(request)
        reply = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if reply == RESET:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if reply in {RESET, CLOSE}:
            return False
        writer.write(reply)
        await writer.drain()
        return reply.endswith(GOOD)


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = (line.lower() for line in head.split(b"\r\n"))
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        return head + await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _no_sleep(_: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def serving(wire: Wire) -> AsyncIterator[str]:
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def talk(wire: Wire, question: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        async with serving(wire) as address:
            return await ask_at(f"http://{address}", question)

    return asyncio.run(main())


async def ask_at(base_url: str, question: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    target = ProjectTarget(project_id="project-test-1", secret=Secret(SECRET), base_url=base_url)
    clock = Clock(sleep=_no_sleep)
    async with connect(target, Limits(requests_per_second=1000), clock=clock, retry_timeout=3) as provider:
        return await question(provider)


async def read(provider: Any) -> Any:
    return await provider.read_organization(ACME)


async def update(provider: Any) -> Any:
    return await provider.update_connection(
        ACME.organization_id, CONNECTION_ID, OidcConnection(client_id="x")
    )


async def delete(provider: Any) -> Any:
    return await provider.delete_connection(ACME.organization_id, CONNECTION_ID)


async def create(provider: Any) -> Any:
    return await provider.create_connection(ACME.organization_id, "Acme Okta", "okta")


def after_a_read(
    write: Callable[[Any], Coroutine[Any, Any, Any]],
) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    async def both(provider: Any) -> Any:
        await read(provider)
        return await write(provider)

    return both


WRITES = {"POST": create, "PUT": update, "DELETE": delete}


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("breakage", [CLOSE, RESET])
def test_a_write_on_a_kept_connection_that_breaks_is_sent_once(method: str, breakage: bytes) -> None:
    """HTTP libraries like to repeat PUT and DELETE here, since these are idempotent in theory."""
    wire = Wire(answer(), breakage, answer())
    with pytest.raises(UnknownOutcome, match="read the live state"):
        talk(wire, after_a_read(WRITES[method]))
    assert wire.methods == ["GET", method]
    assert wire.connections == 1


BROKEN = {
    "closed": CLOSE,
    "reset": RESET,
    "truncated": answer(length=len(GOOD) + 10)[:-5],
    "truncated chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "no http": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half a head": b"HTTP/1.1 200",
    "bad encoding": answer(b"plain", extra=b"Content-Encoding: gzip\r\n"),
}


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("breakage", BROKEN)
def test_a_write_with_a_broken_answer_is_not_known(method: str, breakage: str) -> None:
    wire = Wire(BROKEN[breakage], answer())
    with pytest.raises(UnknownOutcome, match="read the live state"):
        talk(wire, WRITES[method])
    assert wire.methods == [method]


@pytest.mark.parametrize("breakage", BROKEN)
def test_a_read_with_a_broken_answer_is_repeated(breakage: str) -> None:
    wire = Wire(BROKEN[breakage], answer())
    live = talk(wire, read)
    assert [connection.connection_id for connection in live.connections] == [CONNECTION_ID]
    assert wire.methods == ["GET", "GET"]


def test_a_read_whose_answers_stay_broken_is_an_error() -> None:
    with pytest.raises((Unavailable, MalformedAnswer), match="gave up"):
        talk(Wire(CLOSE), read)


@pytest.mark.parametrize("question", [read, *WRITES.values()])
def test_where_nobody_listens_nothing_was_sent(question: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unavailable, match="check base_url"):
            asyncio.run(ask_at(address, question))


@pytest.mark.parametrize("question", [read, *WRITES.values()])
def test_an_address_that_cannot_be_called_is_refused_before_it_is_tried(question: Any) -> None:
    with pytest.raises(UsageError, match="base_url"):
        asyncio.run(ask_at("https://1.2.3.4.5", question))


@pytest.mark.parametrize("question", [read, create])
def test_a_server_that_speaks_no_tls_is_not_tried_again(question: Any) -> None:
    connections = []

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            await ask_at(f"https://127.0.0.1:{port}", question)
        finally:
            server.close()

    with pytest.raises(Unavailable, match="check base_url") as caught:
        asyncio.run(main())
    assert "gave up" not in str(caught.value)
    assert len(connections) == 1


def test_a_server_that_closes_during_the_handshake_is_tried_again() -> None:
    connections = []

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        try:
            await reader.read(65536)
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(close, "127.0.0.1", 0)
        try:
            await ask_at(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", create)
        finally:
            server.close()

    with pytest.raises(Unavailable, match="gave up"):
        asyncio.run(main())
    assert len(connections) > 1


def test_a_proxy_is_told_who_asks_and_its_refusal_means_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    wire = Wire(answer(b"", status=b"407 Proxy Authentication Required"))

    async def main() -> None:
        async with serving(wire) as address:
            for name in ("https_proxy", "HTTPS_PROXY"):
                monkeypatch.setenv(name, f"http://user:p%40ss@{address}")
            await ask_at("https://stytch.example", create)

    with pytest.raises(Unavailable, match="no connection to the service") as refused:
        asyncio.run(main())
    request = wire.requests[0].decode()
    assert request.startswith("CONNECT stytch.example:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n" in request
    assert SECRET not in request
    assert "p@ss" not in str(refused.value)


def test_an_answer_may_be_compressed() -> None:
    body = gzip.compress(GOOD)
    wire = Wire(answer(body, extra=b"Content-Encoding: gzip\r\n"))
    live = talk(wire, read)
    assert [connection.connection_id for connection in live.connections] == [CONNECTION_ID]


@pytest.mark.parametrize(("question", "kind"), [(read, MalformedAnswer), (update, UnknownOutcome)])
def test_an_answer_that_unpacks_without_end_is_cut(question: Any, kind: type[Exception]) -> None:
    bomb = gzip.compress(b" " * (80 * 1024 * 1024))
    wire = Wire(answer(bomb, extra=b"Content-Encoding: gzip\r\n"))
    with pytest.raises(kind, match="longer than"):
        talk(wire, question)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("question", "kind"), [(read, Unavailable), (update, UnknownOutcome)])
@pytest.mark.parametrize(
    "header",
    [b"Content-Encoding: gzip, gzip\r\n", b"Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n"],
)
def test_an_answer_that_is_compressed_twice_is_not_unpacked(
    question: Any, kind: type[Exception], header: bytes
) -> None:
    with pytest.raises(kind, match="DecodingError"):
        talk(Wire(answer(gzip.compress(gzip.compress(GOOD)), extra=header)), question)


def test_a_coding_that_changes_nothing_does_not_count() -> None:
    body = gzip.compress(GOOD)
    live = talk(Wire(answer(body, extra=b"Content-Encoding: identity, gzip\r\n")), read)
    assert [connection.connection_id for connection in live.connections] == [CONNECTION_ID]


def test_of_several_retry_after_headers_the_first_counts() -> None:
    wire = Wire(answer(extra=b"Retry-After: 7\r\nRetry-After: 9\r\n"))

    async def main() -> str | None:
        async with serving(wire) as address, http_transport.HttpTransport(f"http://{address}") as transport:
            return (await transport.exchange("GET", "/", {}, None, len(GOOD))).retry_after

    assert asyncio.run(main()) == "7"


def test_a_connection_that_does_not_become_free_ends_the_wait_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The transport uses no client twice at once; were it ever to do so, nothing would hang."""
    quick = {name: value and value / 100 for name, value in http_transport._TIMEOUT.as_dict().items()}
    monkeypatch.setattr("reconciler.providers.stytch.http_transport._TIMEOUT", httpx.Timeout(**quick))
    wire = Wire(answer(GOOD[:1], length=len(GOOD)))

    async def main() -> http_transport.ConnectionFailed:
        async with serving(wire) as address, http_transport.HttpTransport(f"http://{address}") as transport:
            busy = transport._new_client()
            transport._idle.append(busy)
            async with asyncio.timeout(5), busy.stream("GET", f"http://{address}"):
                with pytest.raises(http_transport.ConnectionFailed) as failed:
                    await transport.exchange("POST", "/", {}, None, len(GOOD))
        return failed.value

    failed = asyncio.run(main())
    assert (failed.reason, failed.not_sent, failed.is_lasting) == ("PoolTimeout", True, False)


def test_a_redirect_is_not_followed() -> None:
    extra = b"Location: http://127.0.0.1:1/elsewhere\r\n"
    with pytest.raises(ProviderError, match="is a redirect"):
        talk(Wire(answer(b"", status=b"307 Temporary Redirect", extra=extra)), read)


def test_connections_are_kept_and_no_more_than_the_concurrency() -> None:
    wire = Wire(answer())

    async def many(provider: Any) -> None:
        await asyncio.gather(*(read(provider) for _ in range(60)))

    talk(wire, many)
    assert len(wire.requests) == 60
    assert wire.connections <= 8


def test_an_idle_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers close them after 5 s, and a create could be lost on one that is just being closed."""
    assert http_transport._LIMITS.keepalive_expiry == 4.0
    limits = httpx.Limits(max_connections=1, keepalive_expiry=0.05)
    monkeypatch.setattr("reconciler.providers.stytch.http_transport._LIMITS", limits)
    wire = Wire(answer())

    async def pausing(provider: Any) -> None:
        await read(provider)
        await read(provider)
        await asyncio.sleep(0.2)
        await create(provider)

    talk(wire, pausing)
    assert wire.methods == ["GET", "GET", "POST"]
    assert wire.connections == 2


def test_what_is_on_the_wire() -> None:
    wire = Wire(answer(extra=b"Set-Cookie: tracking=1\r\n"))

    async def both(provider: Any) -> None:
        await read(provider)
        await update(provider)

    talk(wire, both)
    first, second = (request.decode() for request in wire.requests)
    assert first.startswith(f"GET /v1/b2b/sso/{ACME.organization_id} HTTP/1.1\r\n")
    assert f"PUT /v1/b2b/sso/oidc/{ACME.organization_id}/connections/{CONNECTION_ID} " in second
    for request in (first.lower(), second.lower()):
        assert f"user-agent: reconciler/{__version__}\r\n" in request
        assert request.count("content-type: application/json\r\n") == 1
        assert request.count("authorization: basic ") == 1
        assert "cookie" not in request
    assert second.endswith('\r\n\r\n{"client_id": "x"}')


def test_reserved_characters_stay_encoded_on_the_wire() -> None:
    wire = Wire(answer())

    async def odd(provider: Any) -> None:
        owner = Organization(organization_id="a/b|c%2Fd é~._-")
        with pytest.raises(MalformedAnswer):
            await provider.read_organization(owner)

    talk(wire, odd)
    assert wire.requests[0].startswith(b"GET /v1/b2b/sso/a%2Fb%7Cc%252Fd%20%C3%A9~._- HTTP/1.1\r\n")
