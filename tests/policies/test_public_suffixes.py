"""Issuer and endpoint below a public suffix are judged as the list says, its private part included."""

from __future__ import annotations

from importlib.resources import files

import pytest

from reconciler.core.address import Address
from reconciler.core.change import Create
from reconciler.core.connection import OidcConnection
from reconciler.policies import assess, declared_estate

_LIST = (files("publicsuffixlist") / "public_suffix_list.dat").read_text(encoding="utf-8")
_PRIVATE = "// ===BEGIN PRIVATE DOMAINS==="
_NOTHING = declared_estate((), {})


def suffixes(part: str, count: int) -> list[str]:
    """Return about so many rules, spread evenly over a part of the list, and all of its odd ones."""
    rules = [line.split()[0] for line in part.splitlines() if line and not line.startswith("//")]
    odd = [rule for rule in rules if rule.startswith(("*", "!"))]
    return sorted({*rules[:: len(rules) // count], *odd[:100]})


def pairs(rule: str) -> list[tuple[str, str, bool]]:
    """Return pairs of hosts below a rule, and whether they have one owner."""
    if rule.startswith("!"):  # an exception: what it names is registered itself
        name = rule[1:]
        return [(f"sso.{name}", f"evil.{name}", True)]
    suffix = rule.replace("*", "wildcard-label")
    return [
        (f"acme-sso.{suffix}", f"evil-x.{suffix}", False),
        (f"sso.acme-sso.{suffix}", f"keys.acme-sso.{suffix}", True),
        (f"acme-sso.{suffix}", f"acme-sso.{suffix}", True),
    ]


def generated() -> list[tuple[str, str, bool]]:
    public, private = _LIST.split(_PRIVATE)
    return [pair for part in (public, private) for rule in suffixes(part, 250) for pair in pairs(rule)]


def is_off_site(issuer: str, endpoint: str) -> bool:
    create = Create(
        address=Address("acme", "sso"),
        organization_id="organization-test-1",
        declared=OidcConnection(issuer=f"https://{issuer}", jwks_url=f"https://{endpoint}/jwks"),
    )
    return "endpoint-off-site" in {risk.code for risk in assess((create,), {}, _NOTHING)}


def test_generated_pairs_are_judged_as_the_list_says() -> None:
    judged = generated()
    assert len(judged) >= 500
    assert sum(not has_one_owner for *_, has_one_owner in judged) >= 250
    wrong = [pair for pair in judged if is_off_site(pair[0], pair[1]) == pair[2]]
    assert wrong == []


@pytest.mark.parametrize(
    "suffix", ["co.uk", "com.br", "github.io", "herokuapp.com", "workers.dev", "web.core.windows.net"]
)
def test_well_known_suffixes(suffix: str) -> None:
    assert is_off_site(f"acme.{suffix}", f"evil.{suffix}")
    assert not is_off_site(f"sso.acme.{suffix}", f"login.acme.{suffix}")
