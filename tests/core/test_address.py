"""Addresses and the globs that mean them."""

from __future__ import annotations

import pytest

from reconciler.core.address import Address


def test_an_address_reads_organization_slash_connection() -> None:
    assert str(Address("acme", "okta")) == "acme/okta"


@pytest.mark.parametrize(
    ("pattern", "is_meant"),
    [
        ("acme/okta", True),
        ("acme/*", True),
        ("*/okta", True),
        ("a?me/ok[st]a", True),
        ("acme", True),
        ("*", True),
        ("acme/ok", False),
        ("acm", False),
        ("Acme/okta", False),
        ("acme/okta/x", False),
        ("globex/*", False),
        ("", False),
        ("/okta", False),
    ],
)
def test_globs(pattern: str, is_meant: bool) -> None:
    assert Address("acme", "okta").matches(pattern) is is_meant


def test_a_star_does_not_reach_over_the_slash() -> None:
    assert not Address("acme", "okta").matches("*okta")
    assert not Address("acme-eu", "okta").matches("acme/*")


def test_a_newline_in_a_name_is_part_of_the_name() -> None:
    assert not Address("acme", "okta\n").matches("acme/okta")
