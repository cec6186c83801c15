"""Which URLs and hosts may be called, and which hosts are loopback."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_HOST_NAME: Final = re.compile(r"(?=.{1,253}$)(?:[A-Za-z0-9_-]{1,63}\.)*(?!\d+\.?$)[A-Za-z0-9_-]{1,63}\.?")
"""What DNS can hold: labels of 1 to 63 octets, 253 in all (RFC 1035, section 2.3.4).

The last label is not a number: such a host is an IPv4 address or nothing (URL standard, "host parsing").
"""

_VISIBLE: Final = re.compile(r"[!-~]+")


def is_visible(text: str) -> bool:
    """Tell whether a text is visible ASCII only, so that a header or a URL can carry it."""
    return bool(_VISIBLE.fullmatch(text))


def is_host(name: str) -> bool:
    """Tell whether a host can be looked up: an IP address, or a name within the bounds of DNS."""
    return _is_ip_address(name) or bool(_HOST_NAME.fullmatch(name))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    return ip_address(host).is_loopback if _is_ip_address(host) else host == "localhost"


def split_url(url: str) -> SplitResult | None:
    """Return the parts of an absolute URL, or None if it is malformed or its host cannot be looked up."""
    try:
        parts = urlsplit(url)
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
