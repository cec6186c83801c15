"""Determines which URLs a change writes, their hosts, and whether a host is public."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Delete
from reconciler.core.connection import INFERRED_FIELDS
from reconciler.http.urls import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import ConnectionChange, Update

_RESERVED: Final = frozenset(
    {"corp", "home", "home.arpa", "internal", "intra", "intranet", "invalid", "lan", "local", "localdomain",
     "localhost", "onion", "private", "svc", "test"}
)  # fmt: skip
"""Names that no public DNS zone holds (RFC 2606, 6761, 6762, 8375), or that are only used inside networks.

``example`` and ``example.com`` are reserved as well, but stand in documentation.
"""

_SPELLED_ADDRESSES: Final = frozenset(
    {"localtest.me", "lvh.me", "nip.io", "sslip.io", "traefik.me", "xip.io"}
)
"""Public zones that answer every name with the address that it spells, or with that of the machine itself."""

_URL_FIELDS: Final = ("issuer", *INFERRED_FIELDS)
_PORTS: Final = {"https": 443, "http": 80}
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]{1,8}|0[0-7]{0,11}|[1-9][0-9]{0,9}")
_BYTES: Final = 4
_LARGEST_BYTE: Final = 255


def written_urls(change: ConnectionChange) -> Iterator[tuple[str, str]]:
    """Yield name and value of every URL that the change writes."""
    if isinstance(change, Delete):
        return
    for name in _URL_FIELDS:
        value = getattr(change.declared, name)
        if value and (isinstance(change, Create) or name in change.changed):
            yield name, value


def url_after(change: Create | Update, name: str) -> str:
    """Return the URL after the change, or nothing if the server infers it."""
    declared = getattr(change.declared, name)
    if declared is not None:
        return str(declared)
    if isinstance(change, Create) or "issuer" in change.changed:
        return ""
    return getattr(change.before, name) or ""


def host(url: str | None) -> str:
    """Return the host in lower case, or nothing if the URL has none."""
    return (parse_url(url).hostname or "").rstrip(".").lower()


def authority(url: str | None) -> str:
    """Return host and port; the port only if it is not the default of the scheme.

    A trailing dot counts: cookies, certificates and some resolvers take it for another name.
    """
    parts = parse_url(url)
    name = (parts.hostname or "").lower()
    try:
        port = parts.port
    except ValueError:
        return ""
    return name if port in (None, _PORTS.get(parts.scheme)) else f"{name}:{port}"


def address(name: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host is, in any spelling that resolvers accept, or None for a name.

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
    if any(byte > _LARGEST_BYTE for byte in bytes_) or rest >= 256 ** (_BYTES - len(bytes_)):
        return None
    return IPv4Address(bytes(bytes_) + rest.to_bytes(_BYTES - len(bytes_), "big"))


def _base(number: str) -> int:
    if number.lower().startswith("0x"):
        return 16
    return 8 if number.startswith("0") else 10


def is_private(name: str) -> bool:
    """Tell whether a host can only be reached from inside some network."""
    ip = address(name)
    if ip is not None:
        return not ip.is_global
    labels = name.split(".")
    endings = {".".join(labels[-count:]) for count in (1, 2)}
    return len(labels) == 1 or not endings.isdisjoint(_RESERVED | _SPELLED_ADDRESSES)
