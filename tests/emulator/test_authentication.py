"""Keys, environments, member sessions and roles on the backend API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET, Project
from tests.emulator.calls import call, error

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

    MakeEmulator = Callable[..., Emulator]

LIST = "/v1/b2b/sso/acme"
LIVE = Project(
    "project-live-22222222-2222-4222-8222-222222222222", "secret-live-x", "public-token-live-22222222"
)


@pytest.mark.parametrize(
    ("auth", "error_type"),
    [
        ((DEFAULT_PROJECT_ID, "secret-test-wrong"), "unauthorized_credentials"),
        (("project-test-unknown", DEFAULT_SECRET), "unauthorized_credentials"),
        (("prod", DEFAULT_SECRET), "invalid_project_id_authentication"),
        ((DEFAULT_PROJECT_ID, "hunter2"), "invalid_secret_authentication"),
        ((DEFAULT_PROJECT_ID, "secret-live-x"), "unauthorized_project_id_test"),
        ((LIVE.project_id, DEFAULT_SECRET), "unauthorized_project_id_live"),
        (None, "unauthorized_credentials"),
    ],
)
def test_wrong_keys(api: Api, auth: tuple[str, str] | None, error_type: str) -> None:
    assert error(api("GET", LIST, auth=auth)) == (401, error_type)


@pytest.mark.parametrize("header", ["Bearer x", "Basic", "Basic %%%", "Basic /////w=="])
def test_malformed_authorization(api: Api, header: str) -> None:
    response = api("GET", LIST, auth=None, headers={"authorization": header})
    assert error(response) == (401, "unauthorized_credentials")


def test_a_host_may_serve_one_environment(make_emulator: MakeEmulator) -> None:
    live_host = make_emulator(project=LIVE, environment="live")
    live_host.add_organization("acme")
    auth = (LIVE.project_id, LIVE.secret)
    assert call(live_host, "GET", LIST, auth=auth).status_code == 200
    assert error(call(live_host, "GET", LIST)) == (401, "wrong_stack_test")
    test_host = make_emulator(project=LIVE, environment="test")
    assert error(call(test_host, "GET", LIST, auth=auth)) == (401, "wrong_stack_live")


def test_objects_of_a_live_project_have_live_ids(make_emulator: MakeEmulator) -> None:
    emulator = make_emulator(project=LIVE)
    organization = emulator.add_organization("acme")
    response = call(emulator, "POST", "/v1/b2b/sso/oidc/acme", json={}, auth=(LIVE.project_id, LIVE.secret))
    connection = response.json()["connection"]
    assert organization["organization_id"].startswith("organization-live-")
    assert connection["connection_id"].startswith("oidc-connection-live-")
    assert connection["redirect_url"].startswith(
        "https://api.stytch.com/v1/b2b/sso/callback/oidc-connection-live-"
    )


def test_plain_http_can_be_refused(make_emulator: MakeEmulator) -> None:
    assert error(call(make_emulator(require_https=True), "GET", LIST)) == (403, "use_https")


@pytest.mark.parametrize("header", ["session_token", "session_jwt"])
def test_an_administrator_may_do_everything(api: Api, emulator: Emulator, header: str) -> None:
    session = emulator.add_session("acme", "stytch_admin")
    name = {"session_token": "X-Stytch-Member-Session", "session_jwt": "X-Stytch-Member-SessionJWT"}[header]
    headers = {name: session[header]}
    created = api("POST", "/v1/b2b/sso/oidc/acme", json={}, headers=headers)
    connection_id = created.json()["connection"]["connection_id"]
    path = f"/v1/b2b/sso/oidc/acme/connections/{connection_id}"
    assert api("PUT", path, json={"client_id": "x"}, headers=headers).status_code == 200
    assert len(api("GET", LIST, headers=headers).json()["oidc_connections"]) == 1
    assert api("DELETE", f"{LIST}/connections/{connection_id}", headers=headers).status_code == 200


def attempts(api: Api, emulator: Emulator, **arguments: Any) -> dict[str, int]:
    connection_id = emulator.add_connection("acme")["connection_id"]
    return {
        "get": api("GET", LIST, **arguments).status_code,
        "create": api("POST", "/v1/b2b/sso/oidc/acme", json={}, **arguments).status_code,
        "update": api(
            "PUT", f"/v1/b2b/sso/oidc/acme/connections/{connection_id}", json={}, **arguments
        ).status_code,
        "delete": api("DELETE", f"{LIST}/connections/{connection_id}", **arguments).status_code,
    }


def test_an_ordinary_member_may_do_nothing(api: Api, emulator: Emulator) -> None:
    headers = {"X-Stytch-Member-Session": emulator.add_session("acme")["session_token"]}
    assert attempts(api, emulator, headers=headers) == dict.fromkeys(
        ("get", "create", "update", "delete"), 403
    )
    assert error(api("GET", LIST, headers=headers)) == (403, "session_authorization_error")


@pytest.mark.parametrize("action", ["get", "create", "update", "delete", "*"])
def test_a_custom_role_grants_single_actions(api: Api, emulator: Emulator, action: str) -> None:
    project = {
        "project_id": DEFAULT_PROJECT_ID,
        "secret": DEFAULT_SECRET,
        "public_token": "public-token-test-1",
    }
    emulator.seed({"projects": [{**project, "roles": {"sso_editor": {"stytch.sso": [action]}}}]})
    headers = {"X-Stytch-Member-Session": emulator.add_session("acme", "sso_editor")["session_token"]}
    expected = {name: 200 if action in {name, "*"} else 403 for name in ("get", "create", "update", "delete")}
    assert attempts(api, emulator, headers=headers) == expected


def test_a_member_of_another_organization(api: Api, emulator: Emulator) -> None:
    emulator.add_organization("beta")
    headers = {"X-Stytch-Member-Session": emulator.add_session("beta", "stytch_admin")["session_token"]}
    assert error(api("GET", LIST, headers=headers)) == (403, "session_authorization_tenancy_error")


def test_another_organizations_connection_with_a_session(api: Api, emulator: Emulator) -> None:
    emulator.add_organization("beta")
    connection_id = emulator.add_connection("beta")["connection_id"]
    headers = {"X-Stytch-Member-Session": emulator.add_session("acme", "stytch_admin")["session_token"]}
    response = api("DELETE", f"{LIST}/connections/{connection_id}", headers=headers)
    assert error(response) == (403, "session_authorization_error")
    assert len(emulator.connections("beta")) == 1


def test_malformed_unknown_and_expired_sessions(api: Api, emulator: Emulator) -> None:
    over = emulator.add_session("acme", "stytch_admin", expires_at=0.0)["session_token"]
    old_jwt = emulator.add_session("acme", "stytch_admin", jwt_expires_at=0.0)["session_jwt"]
    expectations = {
        ("X-Stytch-Member-Session", "a b"): (400, "invalid_session_token"),
        ("X-Stytch-Member-Session", "session-token-unknown"): (404, "session_not_found"),
        ("X-Stytch-Member-Session", over): (404, "session_not_found"),
        ("X-Stytch-Member-SessionJWT", old_jwt): (404, "session_not_found"),
    }
    for (name, value), expected in expectations.items():
        assert error(api("GET", LIST, headers={name: value})) == expected


def test_changing_the_settings_of_an_organization_needs_its_own_permissions(
    api: Api, emulator: Emulator
) -> None:
    path, body = "/v1/b2b/organizations/acme", {"sso_jit_provisioning": "NOT_ALLOWED"}
    member = {"X-Stytch-Member-Session": emulator.add_session("acme")["session_token"]}
    administrator = {"X-Stytch-Member-Session": emulator.add_session("acme", "stytch_admin")["session_token"]}
    assert error(api("PUT", path, json=body, headers=member)) == (403, "session_authorization_error")
    assert api("PUT", path, json=body, headers=administrator).status_code == 200
