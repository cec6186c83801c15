"""The session-scoped API that browsers and mobile applications call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.emulator import DEFAULT_PUBLIC_TOKEN
from tests.emulator.calls import call, error

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

SSO = "/sdk/v1/b2b/sso"


@pytest.fixture
def session(emulator: Emulator) -> dict[str, Any]:
    return emulator.add_session("acme", "stytch_admin")


@pytest.fixture
def frontend(api: Api, session: dict[str, Any]) -> Api:
    def request(method: str, path: str, **arguments: Any) -> httpx.Response:
        arguments.setdefault("auth", (DEFAULT_PUBLIC_TOKEN, session["session_token"]))
        return api(method, path, **arguments)

    return request


def test_a_connection_is_created_updated_listed_and_deleted(frontend: Api, emulator: Emulator) -> None:
    created = frontend("POST", f"{SSO}/oidc", json={"display_name": "Okta"}).json()
    assert set(created) == {"data"}
    assert created["data"]["status_code"] == 200
    connection = created["data"]["connection"]
    path = f"{SSO}/oidc/{connection['connection_id']}"
    body = {"connection_id": connection["connection_id"], "client_id": "x"}
    updated = frontend("PUT", path, json=body).json()["data"]["connection"]
    assert updated == {**connection, "client_id": "x"}
    assert frontend("GET", SSO).json()["data"]["oidc_connections"] == [updated]
    deleted = frontend("DELETE", f"{SSO}/{connection['connection_id']}").json()["data"]
    assert deleted["connection_id"] == connection["connection_id"]
    assert emulator.connections("acme") == ()


def test_the_sdk_header_is_accepted(frontend: Api) -> None:
    headers = {"X-SDK-Client": "e30=", "X-SDK-Parent-Host": "http://localhost:3000"}
    assert frontend("GET", SSO, headers=headers).status_code == 200


def test_errors_are_not_wrapped(frontend: Api) -> None:
    response = frontend("PUT", f"{SSO}/oidc/oidc-connection-test-nope", json={})
    assert error(response) == (404, "oidc_connection_not_found")
    assert response.json()["request_id"]
    assert response.headers["content-type"] == "application/json"


def test_errors_can_have_the_content_type_text(frontend: Api, emulator: Emulator) -> None:
    emulator.set_switch("frontend-error-type", "text/plain")
    response = frontend("PUT", f"{SSO}/oidc/oidc-connection-test-nope", json={})
    assert response.headers["content-type"].startswith("text/plain")
    assert error(response) == (404, "oidc_connection_not_found")


def test_a_value_of_the_wrong_type_is_a_schema_error(frontend: Api, emulator: Emulator) -> None:
    connection_id = emulator.add_connection("acme")["connection_id"]
    response = frontend("PUT", f"{SSO}/oidc/{connection_id}", json={"client_id": 7})
    assert response.status_code == 400
    (finding,) = response.json().pop("body")
    assert set(response.json()) == {"body"}
    assert finding == {
        "keyword": "type",
        "dataPath": ".client_id",
        "schemaPath": "#/properties/client_id/type",
        "params": {"type": "string"},
        "message": "should be string",
    }


def test_a_disabled_frontend_api(frontend: Api, emulator: Emulator) -> None:
    emulator.set_switch("frontend-api", "off")
    assert error(frontend("GET", SSO)) == (401, "endpoint_not_authorized_for_sdk")


def test_an_unknown_public_token(frontend: Api) -> None:
    response = frontend("GET", SSO, auth=("public-token-test-nope", "x"))
    assert error(response) == (401, "unauthorized_credentials")


@pytest.mark.parametrize(
    ("error_type", "status"),
    [
        ("session_not_found", 404),
        ("unauthorized_credentials", 401),
        ("user_unauthenticated", 401),
        ("invalid_secret_authentication", 401),
    ],
)
def test_an_ended_session(frontend: Api, emulator: Emulator, error_type: str, status: int) -> None:
    emulator.set_switch("dead-session", error_type)
    over = emulator.add_session("acme", "stytch_admin", expires_at=0.0)["session_token"]
    for token in (over, "session-token-unknown", DEFAULT_PUBLIC_TOKEN):
        assert error(frontend("GET", SSO, auth=(DEFAULT_PUBLIC_TOKEN, token))) == (status, error_type)


def test_a_member_without_the_role(frontend: Api, emulator: Emulator) -> None:
    token = emulator.add_session("acme")["session_token"]
    assert error(frontend("GET", SSO, auth=(DEFAULT_PUBLIC_TOKEN, token))) == (
        403,
        "session_authorization_error",
    )


def test_another_organizations_connection(frontend: Api, emulator: Emulator) -> None:
    emulator.add_organization("beta")
    connection_id = emulator.add_connection("beta")["connection_id"]
    assert error(frontend("PUT", f"{SSO}/oidc/{connection_id}", json={})) == (
        403,
        "session_authorization_error",
    )
    assert error(frontend("DELETE", f"{SSO}/{connection_id}")) == (403, "session_authorization_error")


def test_the_members_own_organization(frontend: Api, emulator: Emulator) -> None:
    own = frontend("GET", "/sdk/v1/b2b/organizations/me").json()["data"]["organization"]
    assert own == emulator.organization("acme")
    body = {"sso_jit_provisioning": "NOT_ALLOWED"}
    changed = frontend("PUT", "/sdk/v1/b2b/organizations/me", json=body).json()["data"]["organization"]
    assert changed == {**own, **body}


def test_an_organization_is_found_by_slug_without_a_session(frontend: Api, emulator: Emulator) -> None:
    auth = (DEFAULT_PUBLIC_TOKEN, DEFAULT_PUBLIC_TOKEN)
    path = "/sdk/v1/b2b/organizations/search"
    data = frontend("POST", path, json={"organization_slug": "acme"}, auth=auth).json()["data"]
    missing = frontend("POST", path, json={"organization_slug": "customer-1"}, auth=auth).json()["data"]
    assert data["organization"]["organization_id"] == emulator.organization("acme")["organization_id"]
    assert missing["organization"] is None


@pytest.mark.parametrize(("roles", "allowed"), [(("stytch_admin",), True), ((), False)])
def test_the_admin_portal_config(
    frontend: Api, emulator: Emulator, roles: tuple[str, ...], allowed: bool
) -> None:
    token = emulator.add_session("acme", *roles)["session_token"]
    response = frontend("GET", "/sdk/v1/b2b/admin_portal_config", auth=(DEFAULT_PUBLIC_TOKEN, token))
    assert response.json()["data"]["sso_config"] == {
        "sso_enabled": True,
        "can_create_oidc_connection": allowed,
        "can_create_saml_connection": allowed,
    }


def test_a_browser_sdk_starts_up(frontend: Api, emulator: Emulator, session: dict[str, Any]) -> None:
    bootstrap = frontend(
        "GET",
        f"/sdk/v1/projects/bootstrap/{DEFAULT_PUBLIC_TOKEN}",
        auth=(DEFAULT_PUBLIC_TOKEN, DEFAULT_PUBLIC_TOKEN),
    ).json()["data"]
    assert bootstrap["vertical"] == "B2B"
    assert "stytch_admin" in {role["role_id"] for role in bootstrap["rbac_policy"]["roles"]}
    document = frontend("POST", "/sdk/v1/b2b/sessions/authenticate", json={}).json()["data"]
    assert document["session_token"] == session["session_token"]
    assert document["organization"] == emulator.organization("acme")
    assert document["member"]["member_id"] == document["member_session"]["member_id"]
    member = frontend("GET", "/sdk/v1/b2b/organizations/members/me").json()["data"]["member"]
    assert member == document["member"]
    assert frontend("POST", "/sdk/v1/events", json=[{"event": {}}], auth=None).status_code == 200


def test_a_bootstrap_for_another_token(frontend: Api) -> None:
    response = frontend("GET", "/sdk/v1/projects/bootstrap/public-token-test-other")
    assert error(response) == (404, "project_not_found")


def test_authenticating_with_a_duration_extends_the_session(
    frontend: Api, emulator: Emulator, session: dict[str, Any]
) -> None:
    frontend("POST", "/sdk/v1/b2b/sessions/authenticate", json={"session_duration_minutes": 100_000})
    emulator.context.clock_offset = 2 * 86_400.0
    assert frontend("GET", SSO).status_code == 200
    body = {"session_duration_minutes": 1}
    assert error(frontend("POST", "/sdk/v1/b2b/sessions/authenticate", json=body)) == (400, "bad_request")


def test_a_revoked_session_has_ended(frontend: Api) -> None:
    assert frontend("POST", "/sdk/v1/b2b/sessions/revoke", json={}).status_code == 200
    assert error(frontend("GET", SSO)) == (404, "session_not_found")


def test_a_loopback_origin_is_allowed(frontend: Api) -> None:
    origin = "http://localhost:3000"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type,x-sdk-client,x-sdk-parent-host",
    }
    preflight = frontend("OPTIONS", f"{SSO}/oidc/x", headers=asked, auth=None)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert preflight.headers["access-control-allow-headers"] == asked["Access-Control-Request-Headers"]
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    response = frontend("GET", SSO, headers={"Origin": origin})
    assert response.headers["access-control-allow-origin"] == origin


def test_an_unknown_origin_is_refused(frontend: Api) -> None:
    origin = {"Origin": "https://evil.example"}
    assert error(frontend("GET", SSO, headers=origin)) == (400, "bad_domain_for_stytch_sdk")
    assert "access-control-allow-origin" not in frontend("OPTIONS", SSO, headers=origin).headers


def test_a_registered_origin_is_allowed(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator(trusted_origins=("https://app.example.com",))
    emulator.add_organization("acme")
    auth = (DEFAULT_PUBLIC_TOKEN, emulator.add_session("acme", "stytch_admin")["session_token"])
    response = call(emulator, "GET", SSO, auth=auth, headers={"Origin": "https://app.example.com"})
    assert response.status_code == 200
