"""Says in plain words why there is no connection: which host, which proxy, which certificate."""

from __future__ import annotations

import re
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RETRYABLE_PROXY_STATUSES: Final = frozenset({408, 429})
_TRUST: Final = "set {variable} to a PEM file with the certificate to trust"

_CERTIFICATES: Final = {
    9: "is not valid yet",
    10: "has expired",
    18: f"is self-signed; {_TRUST}",
    19: f"was issued by a self-signed certificate that is not trusted; {_TRUST}",
    20: f"was issued by an authority that is not trusted; {_TRUST}",
    21: f"cannot be verified, its issuer is missing; {_TRUST}",
    62: "is for another host name",
    64: "is for another IP address",
}
"""What OpenSSL's verification codes mean (x509_vfy.h)."""

_PROXY_HINTS: Final = {
    407: "it asks for a user and password: write them into HTTPS_PROXY",
    403: "it does not allow this host",
}

_WRONG_PROTOCOL: Final = re.compile(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST|PACKET_LENGTH")


def reason(
    error: Exception, address: str, proxy: httpx.Proxy | None, trust_variable: str = "SSL_CERT_FILE"
) -> str:
    """Return why a request to ``address`` failed; texts of other programs are never part of it.

    ``error`` is httpx's, or of requests; ``trust_variable`` names the authorities that were trusted.
    """
    if isinstance(error, httpx.ProxyError) and proxy is not None:
        return _proxy_reason(proxy_status(error), proxy)
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = _CERTIFICATES.get(cause.verify_code, f"is not trusted (code {cause.verify_code})")
            place = _place(httpx.URL(address))
            return f"the certificate of {place} {problem.format(variable=trust_variable)}"
        if isinstance(cause, ssl.SSLError) and _WRONG_PROTOCOL.search(cause.reason or ""):
            return f"{_place(httpx.URL(address))} does not speak TLS; the port or http:// may be wrong"
    if isinstance(
        error, httpx.ConnectError | httpx.ConnectTimeout | OSError
    ):  # those of requests are OSErrors
        return _connect_reason(error, address, proxy)
    return type(error).__name__


def proxy_status(error: httpx.ProxyError) -> int:
    """Return the status with which a proxy refused the tunnel, or 0."""
    status = re.match(r"\d{3}\b", str(error))
    return int(status[0]) if status else 0


def is_final_refusal(error: BaseException) -> bool:
    """Tell whether a proxy refused the tunnel for good."""
    if not isinstance(error, httpx.ProxyError):
        return False
    status = proxy_status(error)
    return 400 <= status <= 499 and status not in _RETRYABLE_PROXY_STATUSES  # noqa: PLR2004  client errors


def proxy_of(settings: Mapping[str, Any]) -> httpx.Proxy | None:
    """Return the proxy in the settings of a client."""
    proxy = settings["proxy"]
    return proxy if isinstance(proxy, httpx.Proxy) else None


def _proxy_reason(status: int, proxy: httpx.Proxy) -> str:
    answer = f"answered {status} to CONNECT" if status else "did not open a tunnel"
    hint = _PROXY_HINTS.get(status, "")
    return f"the proxy {_place(proxy.url)} {answer}{f'; {hint}' if hint else ''}"


def _connect_reason(error: Exception, address: str, proxy: httpx.Proxy | None) -> str:
    url = proxy.url if proxy else httpx.URL(address)
    place = f"{'the proxy ' if proxy else ''}{_place(url)}"
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return f"the host name of {place} cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return f"{place} refused the connection"
    if isinstance(error, httpx.ConnectTimeout):
        return f"{place} did not accept the connection in time"
    return f"{place} cannot be reached ({type(error).__name__})"


def _place(url: httpx.URL) -> str:
    """Return host and port, and nothing else of a URL, which may hold a password."""
    port = url.port or (443 if url.scheme == "https" else 80)
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{port}"


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it."""
    seen: list[BaseException] = [error]
    for cause in seen:
        yield cause
        inner = cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        following = (cause.__cause__ or cause.__context__, *inner)
        seen.extend(item for item in following if item is not None and item not in seen)
