"""A transport of httpx as a transport of the provider: a mock, or an application in the same process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from reconciler.providers.stytch.answer import Answer, read_body
from reconciler.providers.stytch.transport import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS = "https://service.test"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class ByHttpx:
    """Has a transport of httpx carry what `reconciler.providers.stytch.transport.Transport` promises."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, largest: int
    ) -> Answer:
        request = httpx.Request(method, _ADDRESS + path, headers=headers, content=content)
        try:
            response = await self._transport.handle_async_request(request)
            try:
                body = await read_body(response.aiter_bytes(), largest)
            finally:
                await response.aclose()
        except (httpx.HTTPError, OSError) as error:
            raise ConnectionFailed(type(error).__name__, never_sent=isinstance(error, _NEVER_SENT)) from None
        return Answer(response.status_code, body, response.headers.get("Retry-After"))
