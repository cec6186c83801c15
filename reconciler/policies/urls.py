"""What a URL says of where it leads: host, site, and whether that host is a public one."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

_TWO_LABEL_SUFFIXES: Final = frozenset(
    {"ac", "co", "com", "edu", "gov", "gob", "go", "ne", "net", "or", "org"}
)
_PRIVATE_ENDINGS: Final = (
    ".localhost",
    ".local",
    ".internal",
    ".intranet",
    ".lan",
    ".corp",
    ".home",
    ".home.arpa",
)
_COUNTRY: Final = 2
_PORTS: Final = {"https": 443, "http": 80}
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]{1,8}|0[0-7]{0,11}|[1-9][0-9]{0,9}")
_BYTES: Final = 4
_LARGEST_BYTE: Final = 255


def host(url: str | None) -> str:
    """Return the host in lower case, or nothing if there is none that can be told."""
    try:
        return (urlsplit(url or "").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def authority(url: str | None) -> str:
    """Return host and port as they tell one server from another; the scheme's own port is not named.

    A dot at the end counts: it is another name to cookies, certificates and some resolvers.
    """
    try:
        parts = urlsplit(url or "")
        name, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    return name if port in (None, _PORTS.get(parts.scheme)) else f"{name}:{port}"


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
    """Return the IP address that a host is, in any spelling that resolvers take, or None for a name.

    ``10.1``, ``0x7f.1`` and ``2130706433`` are addresses too: the last number fills what is left of
    the four bytes, and 0x and 0 begin hexadecimal and octal numbers (inet_aton).
    """
    try:
        return ip_address(name.partition("%")[0])
    except ValueError:
        return _from_numbers(name.split("."))


def _from_numbers(parts: list[str]) -> IPv4Address | None:
    if len(parts) > _BYTES or not all(map(_NUMBER.fullmatch, parts)):
        return None
    *bytes_, rest = (int(part, _base(part)) for part in parts)
    if any(one > _LARGEST_BYTE for one in bytes_) or rest >= 256 ** (_BYTES - len(bytes_)):
        return None
    return IPv4Address(bytes(bytes_) + rest.to_bytes(_BYTES - len(bytes_), "big"))


def _base(number: str) -> int:
    if number.lower().startswith("0x"):
        return 16
    return 8 if number.startswith("0") else 10


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
