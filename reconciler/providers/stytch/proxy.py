"""The proxy that the environment names for an address."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from reconciler.core.errors import UsageError
from reconciler.providers.stytch.target import LARGEST_PORT, is_host

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult


class Proxy(NamedTuple):
    """Where a proxy is, and what it wants to be told, its credentials for example."""

    url: str
    headers: Mapping[str, str]


def proxy_to(address: str) -> Proxy | None:
    """Return the proxy on the way to an address; there is none for http, which is loopback.

    Raises:
        UsageError: the environment names something that cannot be used.
    """
    if address.startswith("http://"):
        return None
    parts = urlsplit(address)
    proxies = getproxies()
    url = proxies.get(parts.scheme) or proxies.get("all")
    if not url or proxy_bypass(parts.netloc):
        return None
    url = url.strip()
    return _read(url if "://" in url else f"http://{url}")


def _read(url: str) -> Proxy:
    """Read the address of a proxy, which may hold a password and is therefore never shown."""
    if not url.startswith(("http://", "https://")):
        known = re.match(r"socks[0-9a-h]{0,2}(?=://)", url)
        kind = f": {known[0]}" if known else ""
        raise UsageError(f"the environment names a proxy of a kind that is not supported{kind}; use http://")
    parts = _split(url)
    if parts is None:
        raise UsageError(
            "the address of the proxy in HTTPS_PROXY (or ALL_PROXY) is malformed;"
            " write http://host:port, and what is special in its password (/, @, :) percent-encoded"
        )
    credentials, _, place = parts.netloc.rpartition("@")
    return Proxy(f"{parts.scheme}://{place}", _introduction(credentials))


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 1
    except ValueError:
        return None
    is_plain = url.isprintable() and parts.path in {"", "/"} and not parts.query and not parts.fragment
    return parts if is_plain and is_host(host) and port <= LARGEST_PORT else None


def _introduction(credentials: str) -> dict[str, str]:
    if not credentials:
        return {}
    user, _, password = credentials.partition(":")
    told = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return {"Proxy-Authorization": f"Basic {told}"}
