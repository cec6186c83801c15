"""The four connection endpoints of the backend API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.calls import call, error

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

COMPLETE = {
    "issuer": "https://idp.example.com",
    "client_id": "client",
    "client_secret": "hush-hush",
    "authorization_url": "https://idp.example.com/authorize",
    "token_url": "https://idp.example.com/token",
    "userinfo_url": "https://idp.example.com/userinfo",
    "jwks_url": "https://idp.example.com/jwks",
}


def create(api: Api, **body: Any) -> dict[str, Any]:
    response = api("POST", "/v1/b2b/sso/oidc/acme", json=body)
    assert response.status_code == 200, response.text
    return response.json()["connection"]  # type: ignore[no-any-return]  # JSON


def update(api: Api, connection_id: str, /, **body: Any) -> httpx.Response:
    return api("PUT", f"/v1/b2b/sso/oidc/acme/connections/{connection_id}", json=body)


def test_a_new_connection_is_pending_and_empty(api: Api) -> None:
    response = api(
        "POST", "/v1/b2b/sso/oidc/acme", json={"display_name": "Okta", "identity_provider": "okta"}
    )
    document = response.json()
    connection = document["connection"]
    connection_id = connection.pop("connection_id")
    organization_id = connection.pop("organization_id")
    assert document["status_code"] == 200
    assert document["request_id"].startswith("request-id-test-")
    assert connection_id.startswith("oidc-connection-test-")
    assert organization_id.startswith("organization-test-")
    assert connection == {
        "status": "pending",
        "display_name": "Okta",
        "identity_provider": "okta",
        "redirect_url": f"https://test.stytch.com/v1/b2b/sso/callback/{connection_id}",
        "issuer": "",
        "client_id": "",
        "client_secret": "",
        "authorization_url": "",
        "token_url": "",
        "userinfo_url": "",
        "jwks_url": "",
        "custom_scopes": "",
    }


def test_both_fields_of_create_are_optional(api: Api) -> None:
    connection = create(api)
    assert (connection["display_name"], connection["identity_provider"]) == ("", "generic")


def test_create_ignores_fields_that_only_update_accepts(api: Api) -> None:
    assert create(api, issuer="https://idp.example.com")["issuer"] == ""


@pytest.mark.parametrize("name", ["acme", "customer-1"])
def test_an_organization_may_be_named_by_slug_or_external_id(api: Api, emulator: Emulator, name: str) -> None:
    create(api)
    real_id = emulator.organization("acme")["organization_id"]
    for path in (name, real_id):
        (connection,) = api("GET", f"/v1/b2b/sso/{path}").json()["oidc_connections"]
        assert connection["organization_id"] == real_id


def test_a_list_has_all_three_kinds_in_order_of_creation(api: Api, emulator: Emulator) -> None:
    emulator.add_connection("acme", "saml", display_name="Legacy")
    emulator.add_connection("acme", "external", display_name="Shared")
    for name in "abc":
        create(api, display_name=name)
    lists = api("GET", "/v1/b2b/sso/acme").json()
    assert [connection["display_name"] for connection in lists["oidc_connections"]] == ["a", "b", "c"]
    assert [connection["display_name"] for connection in lists["saml_connections"]] == ["Legacy"]
    assert [connection["status"] for connection in lists["external_connections"]] == ["active"]
    assert "redirect_url" not in lists["external_connections"][0]


def test_an_update_changes_only_the_fields_sent(api: Api) -> None:
    before = create(api, display_name="Okta", identity_provider="okta")
    after = update(api, before["connection_id"], client_id="new").json()["connection"]
    assert after == {**before, "client_id": "new"}


def test_an_empty_update_changes_nothing(api: Api) -> None:
    before = create(api, display_name="Okta")
    response = update(api, before["connection_id"])
    assert response.json()["connection"] == before
    assert "warning" not in response.json()


def test_a_connection_becomes_active_once_all_seven_fields_are_set(api: Api) -> None:
    connection_id = create(api)["connection_id"]
    responses = [update(api, connection_id, **{name: value}).json() for name, value in COMPLETE.items()]
    assert [response["connection"]["status"] for response in responses] == ["pending"] * 6 + ["active"]
    assert responses[-1]["connection"]["client_secret"] == "hush-hush"


def test_ids_that_sdks_repeat_in_the_body_are_accepted_and_the_path_wins(api: Api) -> None:
    connection_id = create(api)["connection_id"]
    repeated = {"organization_id": "other", "connection_id": "other", "client_id": "x"}
    assert update(api, connection_id, **repeated).json()["connection"]["client_id"] == "x"
    assert api("GET", "/v1/b2b/sso/acme?organization_id=other").status_code == 200
    assert (
        api("DELETE", f"/v1/b2b/sso/acme/connections/{connection_id}", json={}).json()["connection_id"]
        == connection_id
    )


@pytest.mark.parametrize("kind", ["oidc", "saml", "external"])
def test_connections_of_every_kind_are_deleted_by_the_same_path(
    api: Api, emulator: Emulator, kind: str
) -> None:
    connection_id = emulator.add_connection("acme", kind)["connection_id"]
    response = api("DELETE", f"/v1/b2b/sso/acme/connections/{connection_id}")
    assert response.json()["connection_id"] == connection_id
    assert emulator.connections("acme") == ()
    again = api("DELETE", f"/v1/b2b/sso/acme/connections/{connection_id}")
    assert (again.status_code, again.json()["error_type"]) == (404, "sso_connection_not_found")


def test_a_missing_connection_cannot_be_updated(api: Api) -> None:
    response = update(api, "oidc-connection-test-nope", client_id="x")
    assert error(response) == (404, "oidc_connection_not_found")


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ({"identity_provider": "hotmail"}, "invalid_sso_idp"),
        ({"issuer": "http://idp.example.com"}, "oidc_connection_issuer_url_invalid_format"),
        ({"issuer": "nonsense"}, "oidc_connection_issuer_url_invalid_format"),
        ({"authorization_url": "ftp://x"}, "oidc_connection_authorization_url_invalid_format"),
        ({"token_url": "https://"}, "oidc_connection_token_url_invalid_format"),
        ({"userinfo_url": "https://a b"}, "oidc_connection_userinfo_url_invalid_format"),
        ({"jwks_url": "//x"}, "oidc_connection_jwks_url_invalid_format"),
        ({"client_secret": "x" * 5000}, "client_secret_too_long"),
        ({"client_id": 7}, "bad_request"),
        ({"attribute_mapping": "email"}, "bad_request"),
    ],
)
def test_refused_values_change_nothing(
    api: Api, emulator: Emulator, body: dict[str, Any], error_type: str
) -> None:
    before = create(api, display_name="Okta")
    response = update(api, before["connection_id"], display_name="New", **body)
    assert error(response) == (400, error_type)
    assert emulator.connection(before["connection_id"]) == before


def test_the_error_envelope_is_complete(api: Api) -> None:
    document = update(api, "oidc-connection-test-nope").json()
    assert set(document) == {"status_code", "request_id", "error_type", "error_message", "error_url"}
    assert document["status_code"] == 404
    assert document["request_id"].startswith("request-id-test-")


def test_a_body_must_be_a_json_object(api: Api) -> None:
    for content in (b"{", b"[]", b'"x"', b"\xff"):
        response = api("POST", "/v1/b2b/sso/oidc/acme", content=content)
        assert error(response) == (400, "bad_request"), content


def test_quotas_refuse_the_next_connection(make_emulator: Callable[..., Emulator]) -> None:
    for name, error_type in {
        "max_connections": "too_many_sso_connections",
        "billing_connections": "too_many_sso_connections_for_billing_tier",
    }.items():
        emulator = make_emulator(**{name: 1})
        emulator.add_organization("acme")
        responses = [call(emulator, "POST", "/v1/b2b/sso/oidc/acme", json={}) for _ in range(2)]
        assert responses[0].status_code == 200
        assert error(responses[1]) == (400, error_type)


def test_attribute_mapping_is_stored_and_returned(api: Api) -> None:
    connection_id = create(api)["connection_id"]
    mapping = {"first_name": "given_name"}
    assert (
        update(api, connection_id, attribute_mapping=mapping).json()["connection"]["attribute_mapping"]
        == mapping
    )


def test_unknown_routes_and_wrong_methods(api: Api) -> None:
    unknown, wrong = api("GET", "/v1/b2b/nothing/here"), api("PATCH", "/v1/b2b/sso/acme")
    assert (unknown.status_code, unknown.json()["error_type"]) == (404, "route_not_found")
    assert (wrong.status_code, wrong.json()["error_type"]) == (405, "method_not_allowed")
