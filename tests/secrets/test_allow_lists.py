"""What a manifest may name in a store: its own places, by one spelling, and nothing by default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.address import Address
from reconciler.core.secret import Locator
from reconciler.secrets import STORES, SecretPolicy, parse_reference
from reconciler.secrets.allow_lists import allows, flaw

ACME = Address("acme", "okta")
PLACES = {
    "age": "secrets/acme.age#okta",
    "vault": "sso/acme#okta",
    "aws-sm": "sso/acme#okta",
    "keyring": "sso/acme",
}


def policy_of(scheme: str, *globs: str, own: str = "") -> SecretPolicy:
    references = (parse_reference(own),) if own else ()
    return SecretPolicy(root=Path("/project"), store_allow={scheme: globs}, own=references)


@pytest.mark.parametrize("scheme", STORES)
def test_nothing_is_allowed_by_default(scheme: str) -> None:
    refusal = SecretPolicy(root=Path("/project")).check(Locator(scheme, PLACES[scheme]), ACME)
    assert refusal == f"secrets.{scheme}.allow permits nothing: add it in the project file"
    assert policy_of(scheme, "*").check(Locator(scheme, PLACES[scheme]), ACME) is None


@pytest.mark.parametrize("scheme", STORES)
@pytest.mark.parametrize(
    "path",
    [
        "a/../b", "../a", "a/..", "./a", "a/./b", "a//b", "a/", "a/%2e%2e/b", "a%2fb", "a\\b", "a\0b", "a\nb",
        "a\x7fb", "a\u200bb", "a\u202eb", "cafe\u0301/a", "/" * 3 + "a", "", "a/ ", " a/b",
    ],
)  # fmt: skip
def test_traversal_and_odd_spellings_are_refused_whatever_is_allowed(scheme: str, path: str) -> None:
    key = "" if scheme == "keyring" else "#key"
    assert policy_of(scheme, "*").check(Locator(scheme, path + key), ACME)


@pytest.mark.parametrize("scheme", ["age", "vault", "aws-sm"])
@pytest.mark.parametrize("path", ["a/b", "a/b#", "#key", "a/b#c#d", "a/b##c", "a/b# c", "a/b#c "])
def test_one_key_is_named(scheme: str, path: str) -> None:
    assert policy_of(scheme, "*").check(Locator(scheme, path), ACME)


def test_a_leading_slash_belongs_to_names_of_aws_alone() -> None:
    assert policy_of("aws-sm", "*").check(Locator("aws-sm", "/prod/sso#key"), ACME) is None
    for scheme, path in (("age", "/etc/a#key"), ("vault", "/sso/a#key"), ("keyring", "/sso/a")):
        assert policy_of(scheme, "*").check(Locator(scheme, path), ACME)


@pytest.mark.parametrize(
    ("scheme", "own", "path"),
    [
        ("vault", "sso/stytch#secret", "sso/stytch#secret"),
        ("vault", "sso/stytch#secret", "SSO/Stytch#SECRET"),
        ("vault", "sso/stytch#secret", "sso/data/stytch#secret"),
        ("vault", "sso/data/stytch#secret", "sso/stytch#secret"),
        ("vault", "sso/stytch#secret", "sso/metadata/stytch#secret"),
        ("vault", "sso/\ufb01le#secret", "sso/file#secret"),
        ("aws-sm", "/stytch#secret", "stytch#secret"),
        ("keyring", "stytch/ci", "Stytch/CI"),
        ("age", "own.age#stytch", "OWN.age#stytch"),
    ],
)
def test_the_tools_own_places_are_forbidden_by_any_spelling(scheme: str, own: str, path: str) -> None:
    refusal = policy_of(scheme, "*", own=f"${{{scheme}:{own}}}").check(Locator(scheme, path), ACME)
    assert refusal == "it is a credential of the reconciler itself and cannot be used in a manifest"


@pytest.mark.parametrize(
    "name",
    [
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sso/acme-AbCdEf",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sso/acme",
        "sso/acme:version",
        "sso/\u00e4cme",
        "a" * 513,
    ],
)
def test_a_secret_at_aws_has_its_name_as_only_spelling(name: str) -> None:
    refusal = policy_of("aws-sm", "*").check(Locator("aws-sm", f"{name}#key"), ACME)
    assert refusal is not None
    assert "not by its ARN, which would choose account and region" in refusal


def test_other_keys_beside_the_tools_own_are_not_forbidden() -> None:
    policy = policy_of("age", "*", own="${age:secrets.age#stytch}")
    assert policy.check(Locator("age", "secrets.age#okta"), ACME) is None


@pytest.mark.parametrize(
    ("globs", "path", "is_allowed"),
    [
        (["sso/{organization}#*"], "sso/acme#x", True),
        (["sso/{organization}#*"], "sso/acme/x#y", False),
        (["sso/{organization}/*"], "sso/acme/x/y#z", True),
        (["sso/{organization}/{connection}#*"], "sso/acme/okta#z", True),
        (["sso/{organization}/{connection}#*"], "sso/acme/entra#z", False),
        (["sso/?cme#x"], "sso/acme#x", False),
        (["sso/[a]cme#x"], "sso/acme#x", False),
        (["a/*", "b/*"], "b/c#d", True),
        (["a.b#c"], "a-b#c", False),
        (["*"], "anything/at/all#x", True),
        ([], "sso/acme#x", False),
    ],
)
def test_a_star_is_the_only_wildcard(globs: list[str], path: str, is_allowed: bool) -> None:
    assert (policy_of("vault", *globs).check(Locator("vault", path), ACME) is None) is is_allowed


@pytest.mark.parametrize(
    ("glob", "name", "is_allowed"),
    [
        ("{organization}__{connection}_CLIENT_SECRET", "ACME_EU__OKTA_CLIENT_SECRET", True),
        ("{organization}__{connection}_CLIENT_SECRET", "ACME__OKTA_CLIENT_SECRET", False),
        ("{organization}__*", "ACME_EU__ANY", True),
        ("{organization}__*", "ACME_EU_X__ANY", False),
    ],
)
def test_a_name_stands_in_variables_in_capitals(glob: str, name: str, is_allowed: bool) -> None:
    assert allows([glob], "env", name, Address("acme-eu", "okta")) is is_allowed


NAMES = st.one_of(
    st.sampled_from(
        ["acme", "acme-eu", "acme.eu", "acme_eu", "acmeeu", "ACME", "ac", "a|b", "..", "*", "a*", "[a]"]
    ),
    st.from_regex(re.compile(r"[A-Za-z0-9._~|-]{2,12}"), fullmatch=True),
    st.text(alphabet="ac/#.é*?[]{}_-~|", min_size=1, max_size=8),
)
DOCUMENTED = {
    "age": ["secrets/{organization}.age#*", "secrets/{organization}/{connection}.age#*"],
    "vault": ["sso/{organization}#*", "sso/{organization}/*", "sso/{organization}/{connection}#*"],
    "aws-sm": ["sso/{organization}#{connection}", "sso/{organization}/*"],
    "keyring": ["sso/{organization}/{connection}", "sso/{organization}"],
    "env": ["{organization}__*", "{organization}__{connection}_CLIENT_SECRET"],
}
GLOBS = [(scheme, glob) for scheme, globs in DOCUMENTED.items() for glob in globs]


def filled(glob: str, organization: str, connection: str, rest: str) -> str:
    return glob.replace("{organization}", organization).replace("{connection}", connection).replace("*", rest)


@given(listed=st.sampled_from(GLOBS), pair=st.tuples(NAMES, NAMES), connections=st.tuples(NAMES, NAMES),
       rest=st.text(alphabet="a/#_.", max_size=6))  # fmt: skip
@example(("vault", "sso/{organization}/*"), ("acme", "acme/eu"), ("okta", "okta"), "x#y")
@example(("vault", "sso/{organization}/{connection}#*"), ("acme", "acme/eu"), ("eu/okta", "okta"), "y")
@example(("env", "{organization}__*"), ("acme-eu", "acme.eu"), ("okta", "okta"), "SECRET")
@example(("env", "{organization}__{connection}_CLIENT_SECRET"), ("a", "a-"), ("okta", "okta"), "")
def test_no_organization_can_use_what_belongs_to_another(
    listed: tuple[str, str], pair: tuple[str, str], connections: tuple[str, str], rest: str
) -> None:
    """A place belongs to an organization if the same list lets it use the place."""
    (scheme, glob), (own, foreign), (mine, theirs) = listed, pair, connections
    assert flaw(glob, scheme) is None
    if own == foreign:
        return
    for names in ((foreign, theirs), (foreign.upper().replace("-", "_"), theirs.upper().replace("-", "_"))):
        place = filled(glob, *names, rest)
        if allows([glob], scheme, place, Address(foreign, theirs)):
            assert not allows([glob], scheme, place, Address(own, mine))


@given(st.text(alphabet="ab/#*_{}", max_size=10), st.sampled_from(["vault", "env"]), NAMES, NAMES, st.data())
def test_a_list_that_is_accepted_keeps_organizations_apart(
    around: str, scheme: str, own: str, foreign: str, data: Any
) -> None:
    glob = around + "{organization}" + data.draw(st.text(alphabet="ab/#*_", max_size=8))
    if flaw(glob, scheme) is not None or own == foreign:
        return
    place = filled(glob, foreign, "", data.draw(st.text(alphabet="ab/#_", max_size=5)))
    if place.count("#") <= 1 and allows([glob], scheme, place, Address(foreign, "okta")):
        assert not allows([glob], scheme, place, Address(own, "okta"))
