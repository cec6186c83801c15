"""Splits URLs and tells which hosts are loopback, apart from the product's own code for that."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def scheme_and_host(url: str) -> tuple[str, str]:
    """Return scheme and host of a URL; both are empty if it is malformed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` is ``localhost`` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
