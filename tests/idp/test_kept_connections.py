"""Requests of one investigation share a connection, and nothing else does."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.idp.addresses import AddressPolicy
from reconciler.idp.fetch_settings import FetchSettings
from reconciler.idp.guarded_fetch import Answer, Form, GuardedFetcher
from reconciler.idp.kept_connections import KeptConnections
from tests.idp.provider import RIGHT, authority, server_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RESPONSE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
FORM: Final = Form(body=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})


@dataclass
class Server:
    """Counts connections; ``per_connection`` is after how many responses it closes one, without saying so."""

    per_connection: int
    url: str = ""
    connections: int = 0
    requests: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for _ in range(self.per_connection):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            self.requests.append(head.split(b" ")[0].decode())
            writer.write(RESPONSE)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def serving(per_connection: int = 100) -> AsyncIterator[tuple[Server, GuardedFetcher]]:
    state = Server(per_connection)
    tls = ssl.create_default_context()
    authority().configure_trust(tls)
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0, ssl=server_context(RIGHT))
    async with server:
        state.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        settings = FetchSettings(tls=tls, addresses=AddressPolicy(allows_loopback=True), timeout=10)
        yield state, GuardedFetcher(settings)


def test_what_is_asked_of_one_host_shares_a_connection_until_the_end() -> None:
    async def run() -> None:
        async with serving() as (server, fetcher):
            for round_ in (1, 2):
                async with fetcher.keep_connections(server.url):
                    for path in ("a", "b", "c"):
                        assert isinstance(await fetcher.get(f"{server.url}/{path}"), Answer)
                assert server.connections == round_
            await fetcher.get(f"{server.url}/d")
            assert server.connections == 3

    asyncio.run(run())


def test_a_form_has_a_connection_of_its_own() -> None:
    async def run() -> None:
        async with serving() as (server, fetcher), fetcher.keep_connections(server.url):
            await fetcher.get(f"{server.url}/a")
            await fetcher.post(f"{server.url}/token", FORM)
            assert server.connections == 2
            assert server.requests == ["GET", "POST"]

    asyncio.run(run())


def test_a_connection_that_was_closed_in_the_meantime_is_replaced() -> None:
    async def run() -> None:
        async with serving(per_connection=1) as (server, fetcher), fetcher.keep_connections(server.url):
            for path in ("a", "b", "c"):
                assert isinstance(await fetcher.get(f"{server.url}/{path}"), Answer)
            assert server.connections == 3

    asyncio.run(run())


def test_another_host_at_the_same_address_never_shares_a_connection() -> None:
    async def run() -> None:
        kept = KeptConnections(ssl.create_default_context())
        assert kept.transport("a.example:443", "192.0.2.1") is None
        async with kept.keep("a.example:443"), kept.keep("b.example:443"):
            first = kept.transport("a.example:443", "192.0.2.1")
            assert first is kept.transport("a.example:443", "192.0.2.1")
            assert first is not kept.transport("b.example:443", "192.0.2.1")
            assert first is not kept.transport("a.example:443", "192.0.2.2")
        assert kept.transport("a.example:443", "192.0.2.1") is None

    asyncio.run(run())
