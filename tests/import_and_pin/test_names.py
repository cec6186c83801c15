"""Names of imported files and variables: the same in every run, valid on every file system."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.address import Address
from reconciler.core.secret import Locator
from reconciler.manifests.export_names import VariableNames, file_stem, unique_stem
from reconciler.secrets import OWN_VARIABLES, SecretPolicy

slugs = st.text(alphabet="aAbB.-_~19ä", max_size=4) | st.sampled_from(
    ("con", "CON", "con.x", "lpt1", "x" * 200, "")
)
organizations = st.tuples(slugs, st.uuids().map(str))


@given(st.lists(organizations, unique_by=lambda organization: organization[0]))
def test_no_two_organizations_share_a_file_even_where_case_does_not_count(
    found: list[tuple[str, str]],
) -> None:
    stems = [file_stem(*organization) for organization in found]
    assert len({stem.casefold() for stem in stems}) == len(stems)


@given(organizations)
def test_file_names_are_valid_everywhere(organization: tuple[str, str]) -> None:
    for stem in (file_stem(*organization), unique_stem(*organization)):
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", stem)
        assert len(stem) <= 128
        assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", stem)


@pytest.mark.parametrize("slug", ["acme", "acme-inc", "a.b_c", "3m"])
def test_a_plain_slug_is_the_file_name(slug: str) -> None:
    assert file_stem(slug, "organization-test-1") == slug


def names(*allow: str, taken: tuple[str, ...] = ()) -> VariableNames:
    policy = SecretPolicy(root=Path("/"), env_allow=allow or ("*",))
    return VariableNames(policy, [Locator("env", name) for name in taken])


@pytest.mark.parametrize(
    ("organization", "connection", "expected"),
    [
        ("acme", "okta-workforce", "ACME_OKTA_WORKFORCE_CLIENT_SECRET"),
        ("crm|7.x", "a..b", "CRM_7_X_A_B_CLIENT_SECRET"),
        ("3m", "okta", "ORG_3M_OKTA_CLIENT_SECRET"),
        ("github", "sso", "ORG_GITHUB_SSO_CLIENT_SECRET"),
    ],
)
def test_a_variable_is_named_after_the_address(organization: str, connection: str, expected: str) -> None:
    assert names().name_for(Address(organization, connection)) == expected


def test_names_are_unique_and_not_taken() -> None:
    given_names = names(taken=("A_B_CLIENT_SECRET",))
    found = [given_names.name_for(Address(*names)) for names in (("a", "b"), ("a.b", "-"), ("A", "B"))]
    assert found == ["A_B_2_CLIENT_SECRET", "A_B_3_CLIENT_SECRET", "A_B_4_CLIENT_SECRET"]


def test_the_tools_own_credentials_are_never_named() -> None:
    policy = SecretPolicy(root=Path("/"), forbidden_env=OWN_VARIABLES | {"ACME_OKTA_CLIENT_SECRET"})
    found = VariableNames(policy).name_for(Address("acme", "okta"))
    assert found is None or found not in policy.forbidden_env


def test_there_may_be_no_permitted_name() -> None:
    assert names("EXACTLY_THIS", "A?_*").name_for(Address("acme", "okta")) is None
