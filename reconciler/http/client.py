"""What all HTTP clients share: proxies, certificates, bounded bodies, and which errors mean "not sent"."""

from __future__ import annotations

import re
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies

import httpx

from reconciler.core.errors import UsageError
from reconciler.http.urls import split_url

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to connect; the rest is bounded by the deadline of a request."""

NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
"""httpx's errors after which the service cannot have carried out the request.

After any other error (ReadError, WriteError, ReadTimeout, RemoteProtocolError …) that is not known.
"""

_LASTING: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
_MALFORMED_PROXY: Final = (
    "the address of the proxy in HTTPS_PROXY (or ALL_PROXY) is malformed;"
    " write http://host:port, and percent-encode the characters /, @ and : in its password"
)


class ResponseTooLarge(Exception):
    """A body is longer than the limit."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the response is longer than {max_bytes} bytes")


class LimitedBody:
    """Collects a body up to ``max_bytes``, counted after decompression."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._chunks: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """Take the next part.

        Raises:
            ResponseTooLarge: the body would exceed the limit.
        """
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise ResponseTooLarge(self._max_bytes)
        self._chunks.append(chunk)

    def content(self) -> bytes:
        """Return all parts together."""
        return b"".join(self._chunks)


def client_settings(address: str) -> Mapping[str, Any]:
    """Return how every client for an address is set up: the arguments of `httpx.Client` and its like.

    Proxies and certificates come from the environment by httpx's rules; for http, which is allowed to
    loopback only, there is no proxy. Redirects are not followed, and cookies neither kept nor sent.

    Raises:
        UsageError: the environment names a proxy, or certificates to trust, that cannot be used.
    """
    is_https = address.startswith("https://")
    context = _ssl_context() if is_https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if is_https:
        _check_proxies(context)
    return {
        "verify": context,
        "trust_env": is_https,
        "follow_redirects": False,
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),
    }


def is_lasting(error: Exception) -> bool:
    """Tell whether another attempt would meet the same: the URL or the server's TLS is wrong."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (*_LASTING, ssl.SSLError)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _ssl_context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # the TLS library's own error is one as well
        raise UsageError(
            "the certificates to trust cannot be read;"
            " SSL_CERT_FILE and SSL_CERT_DIR, where set, have to name PEM files"
        ) from error


def _check_proxies(context: ssl.SSLContext) -> None:
    """Check the proxies of the environment, which may hold a password and are therefore never shown."""
    proxies = getproxies()
    for scheme in ("https", "http", "all"):
        if proxies.get(scheme):
            _check_proxy(proxies[scheme])
    try:
        httpx.Client(verify=context).close()
    except (ValueError, httpx.InvalidURL, ImportError):
        raise UsageError("the proxies in HTTPS_PROXY, ALL_PROXY or NO_PROXY are malformed") from None


def _check_proxy(url: str) -> None:
    url = url if "://" in url else f"http://{url}"
    if not url.startswith(("http://", "https://")):
        known = re.match(r"socks[0-9a-h]{0,2}(?=://)", url)
        kind = f": {known[0]}" if known else ""
        raise UsageError(f"the environment names a proxy of a kind that is not supported{kind}; use http://")
    parts = split_url(url)
    if parts is None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise UsageError(_MALFORMED_PROXY)
