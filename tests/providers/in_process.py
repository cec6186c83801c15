"""The product's transport with a mock, or an application in the same process, in place of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.providers.stytch.http_transport import HttpTransport

if TYPE_CHECKING:
    import httpx


def in_process(transport: httpx.AsyncBaseTransport) -> HttpTransport:
    return HttpTransport("http://127.0.0.1:1", transport)
