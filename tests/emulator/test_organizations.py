"""Getting, updating and searching organizations."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.calls import error

if TYPE_CHECKING:
    import httpx

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

PATH = "/v1/b2b/organizations/acme"
SEARCH = "/v1/b2b/organizations/search"
ACTIVE = {"status": "active"}


def slugs(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [organization["organization_slug"] for organization in response.json()["organizations"]]


def test_an_organization_is_the_same_by_id_slug_and_external_id(api: Api, emulator: Emulator) -> None:
    organization_id = emulator.organization("acme")["organization_id"]
    documents = [
        api("GET", f"/v1/b2b/organizations/{name}").json()["organization"]
        for name in ("acme", "customer-1", organization_id)
    ]
    assert documents[0] == documents[1] == documents[2]
    assert documents[0]["organization_id"] == organization_id
    assert documents[0]["organization_external_id"] == "customer-1"
    assert documents[0]["sso_default_connection_id"] is None
    assert "project_id" not in documents[0]


def test_an_organization_lists_its_active_connections_only(api: Api, emulator: Emulator) -> None:
    active = emulator.add_connection("acme", **ACTIVE, display_name="On", identity_provider="okta")
    emulator.add_connection("acme", display_name="Off")
    document = api("GET", PATH).json()["organization"]
    assert document["sso_active_connections"] == [
        {"connection_id": active["connection_id"], "display_name": "On", "identity_provider": "okta"}
    ]
    assert document["sso_default_connection_id"] == active["connection_id"]


def test_unknown_and_malformed_organizations(api: Api) -> None:
    assert error(api("GET", "/v1/b2b/organizations/nobody")) == (404, "organization_not_found")
    assert error(api("GET", "/v1/b2b/sso/nobody")) == (404, "organization_not_found")
    assert error(api("GET", "/v1/b2b/organizations/a%20b")) == (400, "invalid_organization_id")
    assert error(api("GET", f"/v1/b2b/organizations/{'x' * 129}")) == (400, "invalid_organization_id")


def test_a_suspended_organization_is_forbidden(api: Api, emulator: Emulator) -> None:
    emulator.edit_organization("acme", suspended=True)
    assert error(api("GET", PATH)) == (403, "organization_suspended")


def test_an_organization_of_another_project_is_not_found(api: Api, emulator: Emulator) -> None:
    emulator.seed(
        {
            "projects": [
                {
                    "project_id": "project-test-other",
                    "secret": "secret-test-other",
                    "public_token": "public-token-test-other",
                }
            ],
            "organizations": [{"project_id": "project-test-other", "organization_slug": "elsewhere"}],
        }
    )
    assert error(api("GET", "/v1/b2b/organizations/elsewhere")) == (404, "organization_not_found")
    assert slugs(api("POST", SEARCH, json={})) == ["acme"]


def test_an_update_of_settings_is_partial(api: Api, emulator: Emulator) -> None:
    first, second = (emulator.add_connection("acme", **ACTIVE)["connection_id"] for _ in range(2))
    body = {
        "sso_default_connection_id": second,
        "sso_jit_provisioning": "RESTRICTED",
        "sso_jit_provisioning_allowed_connections": [first],
    }
    document = api("PUT", PATH, json=body).json()["organization"]
    assert {name: document[name] for name in body} == body
    assert document["organization_name"] == "Acme Corp"


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ({"sso_default_connection_id": "oidc-connection-test-nope"}, "invalid_sso_default_connection_id"),
        ({"sso_jit_provisioning": "RESTRICTED"}, "invalid_restricted_sso_setting"),
        ({"sso_jit_provisioning": "SOMETIMES"}, "bad_request"),
        ({"sso_jit_provisioning_allowed_connections": "x"}, "bad_request"),
        ({"auth_methods": "NONE"}, "bad_request"),
        ({"organization_slug": "taken"}, "organization_slug_already_used"),
        ({"organization_slug": "no spaces"}, "bad_request"),
    ],
)
def test_refused_settings(api: Api, emulator: Emulator, body: dict[str, Any], error_type: str) -> None:
    emulator.add_organization("taken")
    before = emulator.organization("acme")
    assert error(api("PUT", PATH, json=body)) == (400, error_type)
    assert emulator.organization("acme") == before


def test_a_pending_connection_cannot_be_the_default(api: Api, emulator: Emulator) -> None:
    pending = emulator.add_connection("acme")["connection_id"]
    response = api("PUT", PATH, json={"sso_default_connection_id": pending})
    assert error(response) == (400, "invalid_sso_default_connection_id")


def test_a_renamed_slug_can_be_taken_by_another(api: Api, emulator: Emulator) -> None:
    old_id = emulator.organization("acme")["organization_id"]
    assert api("PUT", PATH, json={"organization_slug": "acme-old"}).status_code == 200
    emulator.add_organization("acme")
    assert api("GET", PATH).json()["organization"]["organization_id"] != old_id


def test_a_search_without_a_query_pages_through_everything(api: Api, emulator: Emulator) -> None:
    for number in range(24):
        emulator.add_organization(f"org-{number}")
    pages, cursor = [], None
    while True:
        response = api("POST", SEARCH, json={"limit": 10, "cursor": cursor})
        metadata = response.json()["results_metadata"]
        pages.append(slugs(response))
        cursor = metadata["next_cursor"]
        assert metadata["total"] == 25
        if not cursor:
            break
    assert [len(page) for page in pages] == [10, 10, 5]
    assert functools.reduce(operator.iadd, pages, []) == ["acme", *(f"org-{number}" for number in range(24))]


def test_a_full_last_page_has_no_cursor(api: Api, emulator: Emulator) -> None:
    emulator.add_organization("beta")
    assert api("POST", SEARCH, json={"limit": 2}).json()["results_metadata"]["next_cursor"] is None


def test_a_search_page_holds_a_hundred_by_default(api: Api, emulator: Emulator) -> None:
    for number in range(100):
        emulator.add_organization(f"org-{number}")
    assert len(slugs(api("POST", SEARCH, json={}))) == 100
    assert len(slugs(api("POST", SEARCH, json={"limit": 1000}))) == 101


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("organization_slugs", ["acme", "nobody"], ["acme"]),
        ("organization_name_fuzzy", "cme co", ["acme"]),
        ("organization_slug_fuzzy", "BET", ["beta"]),
        ("member_emails", ["ann@beta.example"], ["beta"]),
        ("member_email_fuzzy", "nn@beta", ["beta"]),
        ("allowed_domains", ["beta.example"], ["beta"]),
        ("allowed_domain_fuzzy", "eta.ex", ["beta"]),
        ("claimed_email_domains", ["claimed.example"], ["beta"]),
        ("has_active_sso_connection", True, ["beta"]),
        ("has_active_sso_connection", False, ["acme"]),
        ("sso_connection_id", "oidc-connection-test-1", ["beta"]),
        ("sso_connection_id", "oidc-connection-test-2", []),
    ],
)
def test_every_filter(api: Api, emulator: Emulator, name: str, value: object, expected: list[str]) -> None:
    emulator.add_organization(
        "beta", email_allowed_domains=["beta.example"], claimed_email_domains=["claimed.example"]
    )
    emulator.add_member("beta", email_address="ann@beta.example")
    emulator.add_connection("beta", connection_id="oidc-connection-test-1", **ACTIVE)
    operands = [{"filter_name": name, "filter_value": value}]
    response = api("POST", SEARCH, json={"query": {"operator": "AND", "operands": operands}})
    assert slugs(response) == expected
    assert response.json()["results_metadata"]["total"] == len(expected)


def test_all_filters_must_match(api: Api, emulator: Emulator) -> None:
    beta = emulator.add_organization("beta")["organization_id"]
    operands = [{"filter_name": "organization_ids", "filter_value": [beta]}]
    assert slugs(api("POST", SEARCH, json={"query": {"operator": "AND", "operands": operands}})) == ["beta"]
    operands.append({"filter_name": "organization_slugs", "filter_value": ["acme"]})
    assert slugs(api("POST", SEARCH, json={"query": {"operator": "AND", "operands": operands}})) == []
    assert len(slugs(api("POST", SEARCH, json={"query": {"operator": "AND", "operands": []}}))) == 2


@pytest.mark.parametrize(
    ("operand", "error_type"),
    [
        ({"filter_value": "x"}, "organization_search_missing_filter_name"),
        ({"filter_name": "organization_ids"}, "organization_search_missing_filter_value"),
        ({"filter_name": "colour", "filter_value": "x"}, "organization_search_filter_name_not_recognized"),
        (
            {"filter_name": "organization_ids", "filter_value": "x"},
            "organization_search_expected_array_of_strings",
        ),
        (
            {"filter_name": "has_active_sso_connection", "filter_value": "yes"},
            "organization_search_expected_boolean",
        ),
        ({"filter_name": "sso_connection_id", "filter_value": 1}, "organization_search_expected_string"),
        (
            {"filter_name": "organization_name_fuzzy", "filter_value": "ac"},
            "organization_search_name_fuzzy_too_short",
        ),
    ],
)
def test_invalid_filters(api: Api, operand: dict[str, Any], error_type: str) -> None:
    response = api("POST", SEARCH, json={"query": {"operator": "AND", "operands": [operand]}})
    assert error(response) == (400, error_type)


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ({"cursor": "!"}, "user_search_invalid_cursor"),
        ({"limit": 1001}, "user_search_invalid_limit"),
        ({"limit": -1}, "user_search_invalid_limit"),
        ({"limit": "10"}, "bad_request"),
        ({"query": {"operator": "OR", "operands": []}}, "user_search_invalid_operator"),
        ({"query": "acme"}, "bad_request"),
    ],
)
def test_invalid_searches(api: Api, body: dict[str, Any], error_type: str) -> None:
    assert error(api("POST", SEARCH, json=body)) == (400, error_type)
