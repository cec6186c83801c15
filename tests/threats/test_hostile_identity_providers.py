"""Identity providers whose documents should stop a run, or lead it out of the project: threats.md 1 and 3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import UsageError
from reconciler.core.idp import IdpSettings
from reconciler.idp.addresses import AddressPolicy, parse_address
from reconciler.idp.fetch_settings import fetch_settings
from tests.idp.conftest import place, provider
from tests.idp.live import connect
from tests.idp.provider import RSA_KEY, answer, authority

if TYPE_CHECKING:
    from pathlib import Path

    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import Workplace

__all__ = ["place", "provider"]

KEYS = (
    {**RSA_KEY, "alg": "none"},
    {"kty": "EC", "alg": "none"},
    {"kty": "OKP", "crv": "Ed25519", "x": {}, "alg": "none"},
)


@pytest.mark.parametrize("key", KEYS, ids=json.dumps)
def test_a_key_without_an_algorithm_stops_nobody_elses_check(
    place: Workplace, provider: ScriptedProvider, key: dict[str, object]
) -> None:
    """Threats 1: one document cannot stop the estate: the library raises what is no error of its own."""
    provider.scripts["/keys"] = answer(200, {"keys": [key]})
    connect(place, "acme", provider.issuer)
    document = place.run("verify", "--format", "json").document
    assert [finding["code"] for finding in document["findings"]] == ["no-usable-key"]


@pytest.mark.parametrize("how", ["above", "absolute", "link", "folder"])
def test_no_certificates_from_outside_the_project(tmp_path: Path, how: str) -> None:
    """Threats 1: nothing outside the project is read, nor is it said whether a file is there."""
    root = tmp_path / "project"
    root.mkdir()
    outside = tmp_path / "out/ca.pem"
    outside.parent.mkdir()
    authority().cert_pem.write_to_path(str(outside))
    (root / "link.pem").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    name = {
        "above": "../out/ca.pem", "absolute": str(outside), "link": "link.pem", "folder": "folder/ca.pem"
    }[how]  # fmt: skip
    with pytest.raises(UsageError, match="which is not a PEM file with certificates below the folder"):
        fetch_settings(IdpSettings(ca_file=name), root, {}, "https://test.stytch.com")


def test_a_link_within_the_project_is_followed(tmp_path: Path) -> None:
    """Threats 1: what stays in the project may be reached, also where the project is behind a link."""
    (tmp_path / "project/ca").mkdir(parents=True)
    authority().cert_pem.write_to_path(str(tmp_path / "project/ca/idp.pem"))
    (tmp_path / "project/ca.pem").symlink_to("ca/idp.pem")
    (tmp_path / "link").symlink_to("project")
    settings = fetch_settings(IdpSettings(ca_file="ca.pem"), tmp_path / "link", {}, "https://test.stytch.com")
    assert any("trustme" in str(entry["subject"]) for entry in settings.tls.get_ca_certs())


def test_loopback_is_loopback_in_ipv6_as_well() -> None:
    """Threats 1: the same address in two families has one verdict."""
    for text in ("127.0.0.1", "::1"):
        address = parse_address(text)
        assert address is not None
        assert AddressPolicy(allows_loopback=True).refusal(address) == ""
        assert AddressPolicy().refusal(address) == "loopback"
