"""Sends requests with httpx, with one client and one connection for each concurrent request."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

import httpx

from reconciler.http.client import (
    CONNECT_TIMEOUT,
    NOT_SENT,
    LimitedBody,
    client_settings,
    first_header,
    is_lasting,
    refuse_nested_codings,
)
from reconciler.http.connection_errors import proxy_of, reason
from reconciler.providers.stytch.call import ApiResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType
    from typing import Self

_TIMEOUT: Final = httpx.Timeout(None, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT)
"""Only getting a connection has a timeout of its own, since each request has a deadline."""

_LIMITS: Final = httpx.Limits(max_connections=1, keepalive_expiry=4.0)
"""Servers commonly close idle connections after 5 s (Node.js, uvicorn) or more. We do so before, so that a
create is not lost on a connection that the server is about to close."""


class Transport(Protocol):
    """Sends every request to one address, once, whatever its outcome, and follows no redirect.

    It bounds no time but for connecting: the caller does.
    """

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, max_bytes: int
    ) -> ApiResponse:
        """Send a request and return its response, decompressed.

        Raises:
            ResponseTooLarge: it is longer than ``max_bytes``.
            ConnectionFailed: there is no response, or not all of it.
        """


class ConnectionFailed(Exception):
    """The connection broke, or there was none.

    ``reason`` says why in our words, or is the class of httpx's error; its message, and the error itself,
    could show the request with its credentials. ``not_sent``: the service cannot have got the request.
    ``is_lasting``: another attempt would meet the same.
    """

    def __init__(self, reason: str, *, not_sent: bool = False, is_lasting: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.not_sent = not_sent
        self.is_lasting = is_lasting


class HttpTransport:
    """A `Transport` over httpx.

    There is one `httpx.AsyncClient` for each request under way, since a pool that is shared by 32 requests
    costs five times the CPU. The client used last is used first, so that no more connections are kept than
    are needed. ``transport`` replaces the network, for tests.

    Raises:
        UsageError: the environment names a proxy, or certificates to trust, that cannot be used.
    """

    def __init__(self, address: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = address
        self._settings = client_settings(address)
        self._transport = transport
        self._clients: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Self:
        """Return the transport; connections are opened when they are needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        for client in self._clients:
            await client.aclose()

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, max_bytes: int
    ) -> ApiResponse:
        """Send a request, as `Transport` says."""
        try:
            async with (
                self._client() as client,
                client.stream(
                    method, self._address + path, headers=dict(headers), content=content
                ) as response,
            ):
                refuse_nested_codings(response)
                body = LimitedBody(max_bytes)
                async for chunk in response.aiter_bytes():
                    body.add(chunk)
                retry_after = first_header(response.headers, "Retry-After")
                return ApiResponse(response.status_code, body.content(), retry_after)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ConnectionFailed(
                reason(error, self._address, proxy_of(self._settings)),
                not_sent=isinstance(error, NOT_SENT),
                is_lasting=is_lasting(error),
            ) from None  # it shows the request with its credentials

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        """Yield a client that no other request uses; it is kept only if its request comes to its end.

        Otherwise, above all after a cancellation, its only connection might count as in use for ever, and
        the next request would wait for it until its deadline.
        """
        client = self._idle.pop() if self._idle else self._new_client()
        try:
            yield client
        except BaseException:
            self._clients.remove(client)
            await client.aclose()
            raise
        self._idle.append(client)

    def _new_client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            **self._settings, timeout=_TIMEOUT, limits=_LIMITS, transport=self._transport
        )
        self._clients.append(client)
        return client
