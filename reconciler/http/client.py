"""What all HTTP clients share: proxies, certificates, bounded bodies, and which errors mean "not sent"."""

from __future__ import annotations

import re
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies, proxy_bypass

import httpx

from reconciler.core.errors import UsageError
from reconciler.http.connection_errors import is_final_refusal
from reconciler.http.urls import parse_url, split_url

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
_BROKEN_TLS: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, ssl.SSLWantReadError)
"""The connection ended or stalled within TLS, which may pass; other TLS errors do not."""

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


def refuse_nested_codings(response: httpx.Response) -> None:
    """Refuse a body that is compressed more than once: a few of its bytes could become gigabytes at once.

    Raises:
        httpx.DecodingError: the response has more than one content coding.
    """
    codings = response.headers.get_list("Content-Encoding", split_commas=True)
    if len([coding for coding in codings if coding.lower() not in {"", "identity"}]) > 1:
        raise httpx.DecodingError("the response has more than one content coding")


def first_header(headers: httpx.Headers, name: str) -> str | None:
    """Return the value of a header, of several with this name the first, or None."""
    return next(iter(headers.get_list(name)), None)


def client_settings(address: str) -> Mapping[str, Any]:
    """Return how every client for an address is set up: the arguments of `httpx.Client` and its like.

    The proxy is chosen by the rules of the standard library, certificates by those of httpx; for http, which
    is allowed to loopback only, there is no proxy. Redirects are not followed, and cookies not kept.

    Raises:
        UsageError: the environment names a proxy, or certificates to trust, that cannot be used.
    """
    is_https = address.startswith("https://")
    return {
        "verify": ssl_context() if is_https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "proxy": proxy_for(address) if is_https else None,
        "trust_env": False,
        "follow_redirects": False,
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=())),
    }


def is_lasting(error: Exception) -> bool:
    """Tell whether another attempt would meet the same: the URL, the server's TLS or the proxy is wrong."""
    if isinstance(error, httpx.TimeoutException):
        return False
    if is_final_refusal(error):
        return True
    cause: BaseException | None = error
    while cause is not None:
        is_tls_failure = isinstance(cause, ssl.SSLError) and not isinstance(cause, _BROKEN_TLS)
        if is_tls_failure or isinstance(cause, _LASTING):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def ssl_context() -> ssl.SSLContext:
    """Return what certificates are checked with: those that httpx trusts, or SSL_CERT_FILE and SSL_CERT_DIR.

    Raises:
        UsageError: the environment names certificates to trust that cannot be read.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # the TLS library's own error is one as well
        if error.filename is not None:  # Python names no file that it reads, but the one that it writes
            raise UsageError(
                f"SSLKEYLOGFILE names {error.filename!r}, which cannot be written ({error.strerror});"
                " unset it, or name a file in a folder that exists"
            ) from error
        raise UsageError(
            "the certificates to trust cannot be read;"
            " SSL_CERT_FILE and SSL_CERT_DIR, where set, have to name PEM files"
        ) from error


def proxy_for(address: str) -> httpx.Proxy | None:
    """Return the proxy that the environment names for an https address.

    Raises:
        UsageError: it names one that cannot be used.
    """
    parts, proxies = parse_url(address), getproxies()
    url = (proxies.get("https") or proxies.get("all") or "").strip()
    if not url or proxy_bypass(parts.netloc) or proxy_bypass(parts.hostname or ""):
        return None
    return _proxy(url if "://" in url else f"http://{url}")


def _proxy(url: str) -> httpx.Proxy:
    """Read the URL of a proxy, which may hold a password and is therefore never shown."""
    scheme, _, rest = url.partition("://")
    if scheme not in {"http", "https"}:
        kind = f": {scheme}" if re.fullmatch(r"socks[0-9a-h]{0,2}", scheme) else ""
        raise UsageError(f"the environment names a proxy of a kind that is not supported{kind}; use http://")
    credentials, _, place = rest.rpartition("@")
    parts = split_url(f"{scheme}://{place}")
    if parts is None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise UsageError(_MALFORMED_PROXY)
    if re.search(r"[/?#]", credentials) or not credentials.isprintable():
        raise UsageError(_MALFORMED_PROXY)
    try:
        return httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        raise UsageError(_MALFORMED_PROXY) from None
