"""The way over the network: a pool of kept connections, and the proxy the environment names."""

from __future__ import annotations

import ssl
from base64 import b64encode
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from reconciler.core.errors import UsageError

_IDLE_SECONDS: Final = 15.0
"""Connections idle for longer are not used again: many servers close theirs after 20 or more."""


def network(address: str, concurrency: int) -> httpx.AsyncBaseTransport:
    """Return the transport to an address, with room for ``concurrency`` calls at once."""
    tls = _trust(address)

    def session() -> aiohttp.ClientSession:
        return _session(concurrency, tls)

    return AiohttpTransport(verify=tls, client=session, proxy=_proxy(address))


def _trust(address: str) -> ssl.SSLContext:
    """Return whom to trust: no one where no TLS is spoken, since reading the certificates takes 30 ms."""
    if address.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.create_ssl_context()


def _session(concurrency: int, tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=concurrency, keepalive_timeout=_IDLE_SECONDS, ssl=tls)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    # There is no public switch: by default PUT and DELETE are silently sent a second time when a
    # kept connection breaks, although the first may have been carried out.
    session._retry_connection = False  # noqa: SLF001  see above
    return session


def _proxy(address: str) -> httpx.Proxy | None:
    """Return the proxy that the environment names for an address; none for http, which is loopback."""
    if address.startswith("http://"):
        return None
    parts = urlsplit(address)
    proxies = getproxies()
    url = proxies.get(parts.scheme) or proxies.get("all")
    if not url or proxy_bypass(parts.netloc):
        return None
    return _read_proxy(url if "://" in url else f"http://{url}")


def _read_proxy(url: str) -> httpx.Proxy:
    if not url.startswith(("http://", "https://")):
        kind = url.split("://", maxsplit=1)[0]
        raise UsageError(f"the environment names a proxy of a kind that is not supported: {kind!r}")
    proxy = httpx.Proxy(url)
    if proxy.raw_auth is None:
        return proxy
    credentials = b64encode(b":".join(proxy.raw_auth)).decode()
    return httpx.Proxy(proxy.url, headers={"Proxy-Authorization": f"Basic {credentials}"})
