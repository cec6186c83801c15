"""From references to organizations: how many calls it takes, and what counts as found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.errors import (
    AccessDenied,
    MalformedAnswer,
    OrganizationNotFound,
    ProviderError,
    RequestRejected,
    Unavailable,
)
from reconciler.core.state import Organization
from tests.providers.support import Script, ask, ok, organization, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx


class Directory:
    """The organizations of a project, as get and search answer."""

    def __init__(self, *organizations: dict[str, Any], page: int = 1000) -> None:
        self.organizations = organizations
        self.page = page
        self.gets = 0
        self.searches: list[Any] = []
        self.search_answer: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._get(request.url.path.rsplit("/", 1)[1])
        body = json.loads(request.content)
        self.searches.append(body)
        return self.search_answer or self._search(body)

    def _get(self, reference: str) -> httpx.Response:
        self.gets += 1
        for document in self.organizations:
            if reference in {
                document["organization_id"],
                document["organization_slug"],
                document.get("organization_external_id"),
            }:
                return ok(organization=document)
        return refused(404, "organization_not_found")

    def _search(self, body: Any) -> httpx.Response:
        found = list(self.organizations)
        for operand in body.get("query", {}).get("operands", ()):
            key = operand["filter_name"].removesuffix("s")
            found = [one for one in found if one[key] in operand["filter_value"]]
        start = int(body.get("cursor", 0))
        end = start + min(body["limit"], self.page)
        cursor = str(end) if end < len(found) else None
        return ok(organizations=found[start:end], results_metadata={"total": -1, "next_cursor": cursor})


def find(directory: Callable[[httpx.Request], Any], *references: str) -> Mapping[str, Any]:
    async def question(provider: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await provider.find_organizations(references)
        return found

    return ask(directory, question)


def ids(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: one.organization_id if isinstance(one, Organization) else type(one)
        for name, one in found.items()
    }


MANY = [organization(number, organization_external_id=f"crm|{number}") for number in range(2500)]


@pytest.mark.parametrize("reference", ["7", "organization-test-7", "crm|7"])
def test_one_reference_of_any_kind_costs_one_call(reference: str) -> None:
    directory = Directory(*MANY)
    assert ids(find(directory, reference)) == {reference: "organization-test-7"}
    assert (directory.gets, len(directory.searches)) == (1, 0)


def test_no_reference_costs_nothing() -> None:
    directory = Directory()
    assert find(directory) == {}
    assert (directory.gets, len(directory.searches)) == (0, 0)


@pytest.mark.parametrize("name", ["organization_id", "organization_slug"])
def test_ids_and_slugs_cost_a_search_per_thousand(name: str) -> None:
    directory = Directory(*MANY)
    references = [one[name] if len(one[name]) > 1 else one["organization_id"] for one in MANY]
    found = find(directory, *references)
    assert list(ids(found).values()) == [one["organization_id"] for one in MANY]
    assert directory.gets == 0
    assert len(directory.searches) <= 4


def test_a_few_external_ids_cost_a_call_each() -> None:
    directory = Directory(*MANY)
    found = find(directory, "10", "crm|11", "crm|12", "nobody")
    assert ids(found) == {
        "10": "organization-test-10",
        "crm|11": "organization-test-11",
        "crm|12": "organization-test-12",
        "nobody": OrganizationNotFound,
    }
    assert (directory.gets, len(directory.searches)) == (3, 1)


def test_many_external_ids_cost_pages_instead() -> None:
    directory = Directory(*MANY)
    found = find(directory, *(f"crm|{number}" for number in range(2500)))
    assert all(isinstance(one, Organization) for one in found.values())
    assert (directory.gets, len(directory.searches)) == (0, 3)


def test_going_through_all_organizations_stops_where_looking_up_is_cheaper() -> None:
    directory = Directory(*MANY)
    found = find(directory, *(f"crm|{number}" for number in range(2480, 2500)))
    assert all(isinstance(one, Organization) for one in found.values())
    assert (directory.gets, len(directory.searches)) == (20, 2)


@pytest.mark.parametrize("denied", [False, True])
def test_going_through_all_organizations_may_fail_without_harm_unless_denied(denied: bool) -> None:
    directory = Directory(*MANY[:30])
    directory.search_answer = refused(403, "use_https") if denied else refused(400, "bad_request")
    references = [f"crm|{number}" for number in range(15)]
    if denied:
        with pytest.raises(AccessDenied):
            find(directory, *references)
        assert directory.gets == 0
    else:
        assert all(isinstance(reference, Organization) for reference in find(directory, *references).values())
        assert directory.gets == 15


@pytest.mark.parametrize("value", ["text", [5]])
def test_a_list_of_ids_of_a_wrong_type_is_an_error(value: object) -> None:
    answer = ok(organization=organization("acme", sso_jit_provisioning_allowed_connections=value))
    assert isinstance(find(Script(answer), "acme")["acme"], MalformedAnswer)


def test_pages_are_followed_and_the_answer_keeps_the_order_of_the_references() -> None:
    directory = Directory(*MANY[:50], page=7)
    references = [f"organization-test-{number}" for number in range(30, 20, -1)]
    assert list(find(directory, *references)) == references
    assert len(directory.searches) == 2


def test_a_repeating_cursor_ends_in_an_error_instead_of_never() -> None:
    page = ok(organizations=[], results_metadata={"next_cursor": "again"})
    found = find(Script(page), "aa", "bb")
    assert {type(one) for one in found.values()} == {MalformedAnswer}
    assert "do not end" in str(found["aa"])


def test_all_organizations_are_listed_page_by_page() -> None:
    directory = Directory(*MANY[:10], page=3)

    async def everyone(provider: Any) -> list[Organization]:
        return [organization async for organization in provider.list_organizations()]

    assert [one.slug for one in ask(directory, everyone)] == [str(number) for number in range(10)]
    assert "query" not in directory.searches[0]
    assert directory.searches[0]["limit"] == 1000


def test_an_answer_that_is_not_exactly_what_was_asked_for_is_not_taken() -> None:
    found = find(Script(ok(organization=organization("acme"))), "ACME")
    assert isinstance(found["ACME"], OrganizationNotFound)
    assert "organization-test-acme" in str(found["ACME"])


def test_a_reference_that_means_two_organizations_is_an_error_that_names_both() -> None:
    directory = Directory(organization(1, organization_slug="aa"), organization(2, organization_slug="aa"))
    found = find(directory, "aa", "bb")
    assert isinstance(found["aa"], ProviderError)
    assert "organization-test-1" in str(found["aa"])
    assert "organization-test-2" in str(found["aa"])


def test_a_search_that_is_refused_leaves_it_to_single_look_ups() -> None:
    directory = Directory(*MANY[:30])
    directory.search_answer = refused(400, "organization_search_filter_name_not_recognized")
    assert ids(find(directory, "11", "12")) == {"11": "organization-test-11", "12": "organization-test-12"}
    assert directory.gets == 2


def test_a_search_that_fails_for_now_is_not_made_up_for_by_a_thousand_calls() -> None:
    directory = Directory(*MANY[:30])
    directory.search_answer = refused(503)
    found = find(directory, "11", "12")
    assert {type(one) for one in found.values()} == {Unavailable}
    assert directory.gets == 0


@pytest.mark.parametrize("references", [("acme",), ("acme", "beta")])
def test_denied_credentials_stop_everything(references: tuple[str, ...]) -> None:
    script = Script(refused(401, "unauthorized_credentials"))
    with pytest.raises(AccessDenied):
        find(script, *references)
    assert len(script.requests) == 1


def test_denied_during_single_look_ups_raises_the_error_itself() -> None:
    script = Script(ok(organizations=[]), refused(403, "session_authorization_error"))
    with pytest.raises(AccessDenied):
        find(script, "aa", "bb", "cc")


def test_an_error_is_the_entry_of_its_reference_alone() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return ok(organizations=[organization("good")])
        return refused(400, "invalid_organization_id")

    found = find(answer, "good", "bad|one")
    assert ids(found) == {"good": "organization-test-good", "bad|one": RequestRejected}


@pytest.mark.parametrize("reference", ["", ".", ".."])
def test_a_reference_that_would_change_the_path_is_not_sent(reference: str) -> None:
    script = Script(ok())
    found = find(script, reference)
    assert isinstance(found[reference], RequestRejected)
    assert script.requests == []


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("crm|7", "/v1/b2b/organizations/crm%7C7"),
        ("a/b", "/v1/b2b/organizations/a%2Fb"),
        ("a?b#c", "/v1/b2b/organizations/a%3Fb%23c"),
        ("a%2Fb", "/v1/b2b/organizations/a%252Fb"),
        ("x._~-", "/v1/b2b/organizations/x._~-"),
    ],
)
def test_only_unreserved_characters_stay_literal_in_paths(reference: str, path: str) -> None:
    script = Script(refused(404, "organization_not_found"))
    find(script, reference)
    assert script.requests[0].url.raw_path.decode() == path


@pytest.mark.parametrize(
    ("fields", "sso_only"),
    [
        ({"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso"]}, True),
        ({"auth_methods": "RESTRICTED", "allowed_auth_methods": ["sso", "password"]}, False),
        ({"auth_methods": "RESTRICTED", "allowed_auth_methods": []}, False),
        ({"auth_methods": "ALL_ALLOWED", "allowed_auth_methods": ["sso"]}, False),
        ({}, False),
    ],
)
def test_an_organization_is_sso_only_if_nothing_else_is_allowed(
    fields: dict[str, Any], sso_only: bool
) -> None:
    found = find(Script(ok(organization=organization("acme", **fields))), "acme")
    assert found["acme"].sso_only is sso_only


@pytest.mark.parametrize(
    "nothing", [{}, {"sso_default_connection_id": None}, {"sso_default_connection_id": ""}]
)
def test_no_default_connection_is_one_thing_however_it_is_said(nothing: dict[str, Any]) -> None:
    found = find(Script(ok(organization=organization("acme", **nothing))), "acme")
    assert found["acme"] == Organization(
        organization_id="organization-test-acme", slug="acme", name="Organization acme"
    )


@pytest.mark.parametrize(
    "answer", [ok(), ok(organization=None), ok(organization=[]), ok(organization={"organization_id": 5})]
)
def test_an_organization_that_cannot_be_read_is_an_error(answer: Any) -> None:
    assert isinstance(find(Script(answer), "acme")["acme"], MalformedAnswer)


def test_reading_again_insists_on_the_same_organization() -> None:
    async def refresh(provider: Any) -> object:
        return await provider.refresh_organization(Organization(organization_id="organization-test-1"))

    with pytest.raises(MalformedAnswer, match="organization-test-2"):
        ask(Script(ok(organization=organization(2))), refresh)
