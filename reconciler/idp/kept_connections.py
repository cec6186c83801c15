"""Keeps connections to a provider while it is being asked, and closes those of cancelled requests."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping

STALE: Final = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""How a request fails on a connection that the server has closed in the meantime."""


class KeptConnections:
    """Connections by host and checked address: none is used for another host that has the same address.

    A TLS handshake costs more than a request.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._users: Counter[str] = Counter()
        self._transports: dict[tuple[str, str], httpx.AsyncHTTPTransport] = {}

    @asynccontextmanager
    async def keep(self, host: str) -> AsyncIterator[None]:
        """Keep connections to a host until the last of these blocks ends; ``host`` may have a port."""
        self._users[host] += 1
        try:
            yield
        finally:
            self._users[host] -= 1
            if not self._users[host]:
                for place in [place for place in self._transports if place[0] == host]:
                    await self._transports.pop(place).aclose()

    def transport(self, host: str, address: str) -> httpx.AsyncHTTPTransport | None:
        """Return the connections to an address of a host, or None where they are not kept."""
        if not self._users[host]:
            return None
        place = host, address
        if place not in self._transports:
            self._transports[place] = httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)
        return self._transports[place]


class OpenedConnection:
    """The connection that a request opened. httpx leaves it open if it is cancelled in the TLS handshake."""

    def __init__(self) -> None:
        self._stream: Any = None

    async def trace(self, event: str, details: Mapping[str, Any]) -> None:
        """Remember the connection (httpx' extension `trace`)."""
        if event == "connection.connect_tcp.complete":
            self._stream = details["return_value"]

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._stream is not None:
            await self._stream.aclose()
