"""Resolves host names, and checks addresses against a table of networks."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def _networks(kinds: dict[str, str]) -> tuple[tuple[Network, str], ...]:
    return tuple((ip_network(text), kind) for kind, texts in kinds.items() for text in texts.split())


_LOOPBACK: Final = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))

_NEVER: Final = _networks(
    {
        "a cloud's metadata service": "168.63.129.16/32 192.0.0.192/32 100.100.100.200/32 "
        "fd00:ec2::/32 fd20:ce::254/128",
        "link-local": "169.254.0.0/16 fe80::/10",
        "unspecified": "0.0.0.0/8 ::/128",
        "multicast": "224.0.0.0/4 ff00::/8",
        "reserved": "240.0.0.0/4",
    }
)
"""What no setting allows. The metadata services of AWS, Google and Azure are link-local, too; Azure's host
agent, Oracle's and Alibaba's are not."""

_DENIED: Final = _networks(
    {
        "private": "10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
        "reserved": "192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 "
        "192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 "
        "2001::/23 2001:db8::/32 2620:4f:8000::/48 3fff::/20",
        "a translated IPv4 address": "::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 2002::/16",
    }
)
"""What only an allowed network opens: IANA's special-purpose registries, and what they leave out."""

_GLOBAL_UNICAST: Final = ip_network("2000::/3")
"""All of IPv6 that is assigned to hosts of the Internet (RFC 4291, section 2.4)."""

_MAPPED: Final = ip_network("::ffff:0:0/96")
_COMPATIBLE: Final = ip_network("::/96")
_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_SIX_TO_FOUR: Final = ip_network("2002::/16")
_TEREDO: Final = ip_network("2001::/32")
_IPV4: Final = 32
_ALL_ONES: Final = 2**_IPV4 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Which non-public addresses are allowed.

    ``allowed`` are networks that both the project file and the environment name. ``allows_loopback`` is set
    where the target itself is on loopback.
    """

    allowed: tuple[Network, ...] = ()
    allows_loopback: bool = False

    def refusal(self, address: Address) -> str:
        """Return the kind of an address that is not allowed, or an empty text.

        An IPv6 address that stands for an IPv4 address is judged as both.
        """
        kinds = (self._refusal(candidate) for candidate in (address, *_embedded(address)))
        return next((kind for kind in kinds if kind), "")

    def _refusal(self, address: Address) -> str:
        if kind := _kind(address, _NEVER):
            return kind
        if any(address in network for network in _LOOPBACK):
            return "" if self.allows_loopback else "loopback"
        if any(address in network for network in self.allowed):
            return ""
        if kind := _kind(address, _DENIED):
            return kind
        is_assigned = isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST
        return "" if is_assigned else "reserved"


INTERNET: Final = AddressPolicy()
"""Public addresses, and no others."""


def parse_address(text: str) -> Address | None:
    """Parse an address; return None for a host name. The zone of an IPv6 address is dropped."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def allowed_by_both(declared: Iterable[Network], environment: Iterable[Network]) -> tuple[Network, ...]:
    """Return the networks that two lists have in common."""
    limits = tuple(environment)
    return tuple(
        common for network in declared for limit in limits if (common := _intersection(network, limit))
    )


def _intersection(first: Network, second: Network) -> Network | None:
    if first.version != second.version:
        return None
    narrow, wide = sorted((first, second), key=lambda network: -network.prefixlen)
    return narrow if narrow.network_address in wide else None


def _kind(address: Address, table: Iterable[tuple[Network, str]]) -> str:
    return next((kind for network, kind in table if address in network), "")


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses to which a packet for an IPv6 address may go."""
    if not isinstance(address, IPv6Address) or address.is_loopback:
        return
    bits = int(address)
    if address in _MAPPED or address in _COMPATIBLE or any(address in network for network in _NAT64):
        yield IPv4Address(bits & _ALL_ONES)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(bits >> 80 & _ALL_ONES)
    elif address in _TEREDO:
        yield IPv4Address(bits >> 64 & _ALL_ONES)
        yield IPv4Address(bits & _ALL_ONES ^ _ALL_ONES)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host.

    A look-up cannot be cancelled, and may take a minute: each has a thread that the end of the run does not
    wait for.

    Raises:
        OSError: the host has no address.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Sequence[str]] = loop.create_future()

    def settle(addresses: Sequence[str], error: Exception | None) -> None:
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(addresses)

    def look_up() -> None:
        addresses: Sequence[str] = ()
        failure: Exception | None = None
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [str(entry[4][0]) for entry in entries]
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else OSError(str(error))
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, addresses, failure)

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    return await future
