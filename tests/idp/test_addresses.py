"""Which addresses may be connected to: every network that another guard denies, and what it misses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.idp.addresses import INTERNET, AddressPolicy, allowed_by_both

# The table of 60 blocks of ssrfguard 0.4.1 (PyPI, Apache-2.0), as facts; it takes most of them from IANA's
# registries of special-purpose addresses. The longest block that holds an address decides.
_DENIED: Final = """
    0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.0.0/29 192.0.0.8/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.88.99.0/24 192.88.99.2/32
    192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 255.255.255.255/32 224.0.0.0/4
    169.254.169.254/32 169.254.170.2/32 100.100.100.200/32 192.0.0.192/32
    ::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:2::/48 2001:10::/28 2001:db8::/32
    3fff::/20 5f00::/16 fc00::/7 fe80::/10 ff00::/8 fec0::/10 fd00:ec2::254/128
    """
_PERMITTED: Final = """
    192.0.0.9/32 192.0.0.10/32 192.31.196.0/24 192.52.193.0/24 192.175.48.0/24 2001:1::1/128 2001:1::2/128
    2001:1::3/128 2001:3::/32 2001:4:112::/48 2001:20::/28 2001:30::/28 2620:4f:8000::/48
    """
_TRANSLATED: Final = "::ffff:0:0/96 64:ff9b::/96 2001::/32 2002::/16 ::/96"
"""Denied there by the IPv4 address to which they lead; below, by another test."""

_MISSED: Final = "168.63.129.16 192.0.0.192 100.100.100.200 fd00:ec2::254 fd20:ce::254"
"""Metadata services and host agents of clouds."""

_PUBLIC: Final = (
    "8.8.8.8 1.1.1.1 13.107.246.40 52.96.0.1 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.1 "
    "2606:4700::1111 2a00:1450:4001::1 2620:1ec:a92::171"
)

DENIED, MISSED, PUBLIC = _DENIED.split(), _MISSED.split(), _PUBLIC.split()
NOT_DENIED: Final = [ip_network(block) for block in (*_PERMITTED.split(), *_TRANSLATED.split())]


def test_the_table_of_the_other_guard_is_complete() -> None:
    assert len({*DENIED, *_PERMITTED.split(), *_TRANSLATED.split()}) == 60


@settings(max_examples=200)
@given(st.data())
def test_whatever_another_guard_denies_is_denied(data: st.DataObject) -> None:
    network = ip_network(data.draw(st.sampled_from(DENIED)))
    offset = data.draw(st.integers(0, network.num_addresses - 1))
    address = network.network_address + offset
    is_exception = any(address in block and block.prefixlen > network.prefixlen for block in NOT_DENIED)
    assert is_exception or INTERNET.refusal(address)


@settings(max_examples=200)
@given(st.data())
def test_an_address_that_translates_to_a_denied_one_is_denied(data: st.DataObject) -> None:
    network = ip_network(data.draw(st.sampled_from([block for block in DENIED if ":" not in block])))
    bits = int(network.network_address) + data.draw(st.integers(0, network.num_addresses - 1))
    for prefix, shift in (("::", 0), ("::ffff:0:0", 0), ("64:ff9b::", 0), ("2002::", 80)):
        assert INTERNET.refusal(IPv6Address(int(IPv6Address(prefix)) | bits << shift))
    assert INTERNET.refusal(IPv6Address(int(IPv6Address("2001::")) | bits ^ 0xFFFFFFFF))


@pytest.mark.parametrize("text", MISSED)
def test_the_metadata_services_of_clouds_are_denied_whatever_is_allowed(text: str) -> None:
    everything = AddressPolicy(allowed=(ip_network("0.0.0.0/0"), ip_network("::/0")), allows_loopback=True)
    assert everything.refusal(ip_address(text)) == "a cloud's metadata service"


@pytest.mark.parametrize(
    "text", ["169.254.169.254", "169.254.170.2", "fe80::1", "0.0.0.0", "::", "224.0.0.1"]
)
def test_link_local_and_unspecified_addresses_are_never_allowed(text: str) -> None:
    everything = AddressPolicy(allowed=(ip_network("0.0.0.0/0"), ip_network("::/0")), allows_loopback=True)
    assert everything.refusal(ip_address(text))


def test_a_translated_metadata_address_is_never_allowed() -> None:
    everything = AddressPolicy(allowed=(ip_network("::/0"),), allows_loopback=True)
    assert everything.refusal(IPv6Address("64:ff9b::169.254.169.254"))
    assert everything.refusal(IPv6Address("::ffff:168.63.129.16"))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_allowed(text: str) -> None:
    assert not INTERNET.refusal(ip_address(text))


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1))
def test_no_ipv4_address_is_allowed_that_python_takes_for_private(number: int) -> None:
    address = IPv4Address(number)
    assert address.is_global or INTERNET.refusal(address)


def test_a_network_opens_what_is_private_and_nothing_beside_it() -> None:
    policy = AddressPolicy(allowed=(ip_network("10.1.0.0/16"),))
    assert not policy.refusal(ip_address("10.1.2.3"))
    assert policy.refusal(ip_address("10.2.0.1")) == "private"
    assert policy.refusal(ip_address("127.0.0.1")) == "loopback"
    assert policy.refusal(ip_address("::ffff:10.1.2.3"))  # the translating network is not allowed


def test_loopback_is_allowed_only_by_its_own_flag() -> None:
    everything = AddressPolicy(allowed=(ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert everything.refusal(ip_address("127.0.0.1")) == everything.refusal(ip_address("::1")) == "loopback"
    assert not AddressPolicy(allows_loopback=True).refusal(ip_address("127.0.0.53"))


def test_a_network_counts_as_far_as_both_lists_name_it() -> None:
    declared = [ip_network("10.0.0.0/8"), ip_network("192.168.0.0/16"), ip_network("fd00::/8")]
    environment = [ip_network("10.7.0.0/16"), ip_network("192.0.0.0/8"), ip_network("172.16.0.0/12")]
    assert allowed_by_both(declared, environment) == (ip_network("10.7.0.0/16"), ip_network("192.168.0.0/16"))
    assert allowed_by_both(declared, ()) == allowed_by_both((), environment) == ()
