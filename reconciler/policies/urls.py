"""What a URL says of where it leads: host, site, and whether that host is a public one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

_TWO_LABEL_SUFFIXES: Final = frozenset(
    {"ac", "co", "com", "edu", "gov", "gob", "go", "ne", "net", "or", "org"}
)
_PRIVATE_ENDINGS: Final = (".local", ".internal", ".intranet", ".lan", ".corp", ".home", ".home.arpa")
_COUNTRY: Final = 2


def host(url: str | None) -> str:
    """Return the host in lower case, or nothing if there is none that can be told."""
    try:
        return (urlsplit(url or "").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def site(name: str) -> str:
    """Return the part of a host that one owner registered, as far as it can be told without a list.

    Two labels, or three under endings such as ``co.uk``; an IP address stands for itself.
    """
    labels = name.split(".")
    if address(name) is not None or len(labels) <= 2:  # noqa: PLR2004 - owner and ending
        return name
    has_long_ending = len(labels[-1]) == _COUNTRY and labels[-2] in _TWO_LABEL_SUFFIXES
    return ".".join(labels[-3:] if has_long_ending else labels[-2:])


def address(name: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host is, or None if it is a name."""
    try:
        return ip_address(name.partition("%")[0])
    except ValueError:
        return None


def is_loopback(name: str) -> bool:
    """Tell whether a host is this very machine, as emulators are."""
    found = address(name)
    return found.is_loopback if found else name == "localhost" or name.endswith(".localhost")


def is_private(name: str) -> bool:
    """Tell whether a host can only be reached from inside some network."""
    found = address(name)
    if found is not None:
        return not found.is_global
    return "." not in name or name.endswith(_PRIVATE_ENDINGS)
