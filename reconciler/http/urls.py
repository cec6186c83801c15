"""Splits URLs, and tells which URLs and hosts may be called, and which hosts are loopback."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

_HOST_NAME: Final = re.compile(r"(?=.{1,253}$)(?:[A-Za-z0-9_-]{1,63}\.)*(?!\d+\.?$)[A-Za-z0-9_-]{1,63}\.?")
"""What DNS can hold: labels of 1 to 63 octets, 253 in all (RFC 1035, section 2.3.4).

The last label is not a number: such a host is an IPv4 address or nothing (URL standard, "host parsing").
"""

_NOTHING: Final = SplitResult("", "", "", "", "")

_VISIBLE: Final = re.compile(r"[!-~]+")


def is_visible(text: str) -> bool:
    """Tell whether a text is visible ASCII only, so that a header or a URL can carry it."""
    return bool(_VISIBLE.fullmatch(text))


def is_host(name: str) -> bool:
    """Tell whether a host can be looked up: an IP address, or a name within the bounds of DNS."""
    return _is_ip_address(name) or bool(_HOST_NAME.fullmatch(name))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine.

    A name below ``localhost`` is not: whether it stays on this machine is up to the resolver.
    """
    return ip_address(host).is_loopback if _is_ip_address(host) else host == "localhost"


def parse_url(url: str | None) -> SplitResult:
    """Return the parts of a text that may be no URL; they are all empty if it cannot be split.

    ``port`` of the result raises `ValueError` if it is no number up to 65535.
    """
    try:
        return urlsplit(url or "")
    except ValueError:
        return _NOTHING


def split_url(url: str) -> SplitResult | None:
    """Return the parts of an absolute URL, or None if it is malformed or its host cannot be looked up."""
    parts = parse_url(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts if parts.scheme and host and is_host(host) and is_visible(url) else None


def is_secure(parts: SplitResult) -> bool:
    """Tell whether credentials may be sent to a URL: by https, or by http to this machine."""
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
