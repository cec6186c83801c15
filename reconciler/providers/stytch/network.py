"""The way over the network: a pool of kept connections, and the proxy the environment names."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from reconciler.core.errors import UsageError
from reconciler.providers.stytch.target import LARGEST_PORT, is_host

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
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # that of the TLS library is one, too
        raise UsageError(
            "the certificates to trust cannot be read;"
            " SSL_CERT_FILE and SSL_CERT_DIR, where set, have to name PEM files"
        ) from error


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
    """Return the proxy at an address, which may hold a password and is therefore never shown."""
    if not url.startswith(("http://", "https://")):
        known = re.match(r"socks[0-9a-h]{0,2}(?=://)", url)
        kind = f": {known[0]}" if known else ""
        raise UsageError(f"the environment names a proxy of a kind that is not supported{kind}; use http://")
    proxy = _parse_proxy(url)
    if proxy is None:
        raise UsageError(
            "the address of the proxy in HTTPS_PROXY (or ALL_PROXY) is malformed;"
            " write http://host:port, and any / or @ in its password percent-encoded"
        )
    if proxy.raw_auth is None:
        return proxy
    credentials = b64encode(b":".join(proxy.raw_auth)).decode()
    return httpx.Proxy(proxy.url, headers={"Proxy-Authorization": f"Basic {credentials}"})


def _parse_proxy(url: str) -> httpx.Proxy | None:
    try:
        proxy = httpx.Proxy(url)
    except (httpx.InvalidURL, ValueError):
        return None
    return proxy if is_host(proxy.url.host) and (proxy.url.port or 1) <= LARGEST_PORT else None
