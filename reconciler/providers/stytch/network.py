"""The way over the network, with connections that are kept."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from reconciler.providers.stytch.answer import Answer, read_body
from reconciler.providers.stytch.proxy import proxy_to
from reconciler.providers.stytch.transport import ConnectionFailed
from reconciler.providers.stytch.trust import trust_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from reconciler.providers.stytch.proxy import Proxy
    from reconciler.providers.stytch.transport import Transport

_IDLE_SECONDS: Final = 15.0
"""Connections idle for longer are not used again: many servers close theirs after 20 or more."""

_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
"""Seconds; only connecting has a time-out of its own, since each call has a deadline."""

_NO_CONNECTION: Final = (
    aiohttp.InvalidURL,
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)
"""What aiohttp raises before it has a connection to the service."""


@asynccontextmanager
async def network(address: str, concurrency: int) -> AsyncIterator[Transport]:
    """Yield the transport to an address, with room for ``concurrency`` calls at once.

    Raises:
        UsageError: the environment names a proxy, or certificates to trust, that cannot be used.
    """
    proxy, trusted = proxy_to(address), trust_in(address)
    connector = aiohttp.TCPConnector(limit=concurrency, keepalive_timeout=_IDLE_SECONDS, ssl=trusted)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=_TIMEOUT
    ) as session:
        # There is no public switch: by default PUT and DELETE are silently sent a second time when a
        # kept connection breaks, although the first may have been carried out.
        session._retry_connection = False  # noqa: SLF001  see above
        yield _Network(session, URL(address, encoded=True), proxy)


class _Network:
    """A `reconciler.providers.stytch.transport.Transport` over a session of aiohttp."""

    def __init__(self, session: aiohttp.ClientSession, address: URL, proxy: Proxy | None) -> None:
        self._session = session
        self._address = address
        self._proxy = proxy.url if proxy else None
        self._proxy_headers = proxy.headers if proxy else None

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, largest: int
    ) -> Answer:
        try:
            response = await self._session.request(
                method,
                self._address.with_path(path, encoded=True),
                headers=headers,
                data=content,
                allow_redirects=False,
                proxy=self._proxy,
                proxy_headers=self._proxy_headers,
            )
            try:
                body = await read_body(response.content.iter_any(), largest)
            finally:
                response.release()  # a connection on which more would come is closed by this
        except (aiohttp.ClientError, OSError) as error:
            raise _failure(error) from None  # it shows the request with its credentials
        return Answer(response.status, body, response.headers.get("Retry-After"))


def _failure(error: Exception) -> ConnectionFailed:
    return ConnectionFailed(
        type(error).__name__,
        never_sent=isinstance(error, _NO_CONNECTION),
        is_lasting=isinstance(error, aiohttp.ClientSSLError | aiohttp.InvalidURL),
    )
