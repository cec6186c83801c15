"""The control endpoint and the request log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.calls import call

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

LIST = "/v1/b2b/sso/acme"
CREATE = "/v1/b2b/sso/oidc/acme"


@pytest.fixture
def controlled(make_emulator: Callable[..., Emulator]) -> Emulator:
    emulator = make_emulator(control=True)
    emulator.add_organization("acme")
    return emulator


@pytest.fixture
def control(controlled: Emulator) -> Callable[..., dict[str, Any]]:
    def request(method: str, path: str, *, status: int = 200, **body: Any) -> dict[str, Any]:
        response = call(controlled, method, f"/_control/{path}", json=body, auth=None)
        assert response.status_code == status, response.text
        return response.json()  # type: ignore[no-any-return]  # JSON

    return request


@pytest.fixture
def api(controlled: Emulator) -> Api:
    def request(method: str, path: str, **arguments: Any) -> httpx.Response:
        return call(controlled, method, path, **arguments)

    return request


def test_it_is_off_by_default(emulator: Emulator) -> None:
    response = call(emulator, "GET", "/_control/requests")
    assert response.json()["error_type"] == "route_not_found"


def test_the_log_holds_requests(control: Callable[..., Any], api: Api, controlled: Emulator) -> None:
    api("POST", f"{CREATE}?organization_id=acme", json={"display_name": "Okta"})
    api("GET", "/v1/b2b/sso/nobody")
    first, second = control("GET", "requests")["requests"]
    assert (first["number"], first["operation"], first["method"]) == (1, "create-oidc-connection", "POST")
    assert (first["path"], first["query"]) == (CREATE, {"organization_id": "acme"})
    assert first["body"] == {"display_name": "Okta"}
    assert (first["status"], first["applied"]) == (200, True)
    assert first["request_id"].startswith("request-id-test-")
    assert first["organization_id"] == controlled.organization("acme")["organization_id"]
    assert (second["status"], second["error_type"]) == (404, "organization_not_found")
    assert second["organization_id"] is None


def test_the_log_can_be_filtered_and_cleared(
    controlled: Emulator, control: Callable[..., Any], api: Api
) -> None:
    api("POST", CREATE, json={})
    api("GET", LIST)
    assert len(controlled.request_log.of("list-connections")) == len(controlled.request_log.writes) == 1
    assert len(control("GET", "requests?operation=list-connections")["requests"]) == 1
    control("DELETE", "requests")
    assert control("GET", "requests") == {"requests": []}
    api("GET", LIST)
    assert control("GET", "requests")["requests"][0]["number"] == 3


def test_the_log_never_holds_a_secret(api: Api, controlled: Emulator, control: Callable[..., Any]) -> None:
    session = controlled.add_session("acme", "stytch_admin")
    headers = {"X-Stytch-Member-Session": session["session_token"], "Cookie": "c=s3cret"}
    connection_id = controlled.add_connection("acme")["connection_id"]
    body = {"client_secret": "s3cret", "client_id": "public", "nested": [{"private_key": "s3cret"}]}
    path = f"{CREATE}/connections/{connection_id}?session_token=s3cret"
    assert api("PUT", path, json=body, headers=headers).status_code == 200
    text = json.dumps(control("GET", "requests"))
    for secret in ("s3cret", session["session_token"], "secret-test-", "c2VjcmV0"):
        assert secret not in text
    (entry,) = controlled.request_log.writes
    assert entry.headers["authorization"] == "Basic [redacted]"
    assert entry.body["client_id"] == "public"


def test_the_log_holds_secrets_if_the_setting_says_so(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator(log_secrets=True)
    emulator.add_organization("acme")
    connection_id = emulator.add_connection("acme")["connection_id"]
    call(emulator, "PUT", f"{CREATE}/connections/{connection_id}", json={"client_secret": "s3cret"})
    assert emulator.request_log.writes[0].body == {"client_secret": "s3cret"}


def test_the_log_drops_the_oldest_requests(make_emulator: Callable[..., Emulator]) -> None:
    emulator = make_emulator(log_capacity=2)
    for _ in range(3):
        call(emulator, "GET", LIST)
    assert [entry.number for entry in emulator.request_log] == [2, 3]


def test_switches_are_listed_and_changed(control: Callable[..., Any], controlled: Emulator) -> None:
    listed = {switch["name"]: switch for switch in control("GET", "switches")["switches"]}
    assert listed["empty-string"]["value"] == listed["empty-string"]["default"] == "ignored"
    assert listed["read-lag"]["alternatives"] == ["N"]
    control("PUT", "switches", **{"empty-string": "clears", "read-lag": 2})
    assert controlled.context.switches["empty-string"] == "clears"
    assert controlled.context.switches["read-lag"] == "2"
    wrong = control("PUT", "switches", status=400, **{"empty-sting": "clears"})
    assert "did you mean 'empty-string'" in wrong["error"]


def test_faults_are_added_and_removed(control: Callable[..., Any], api: Api) -> None:
    name = control("POST", "faults", fault="list-connections:503")["id"]
    assert control("GET", "faults") == {"faults": {name: "list-connections:503"}}
    assert api("GET", LIST).status_code == 503
    control("DELETE", f"faults/{name}")
    assert api("GET", LIST).status_code == 200
    assert control("DELETE", f"faults/{name}", status=404)["error"] == f"there is no '{name}'"
    assert "did you mean" in control("POST", "faults", status=400, fault="list-connection:503")["error"]
    control("POST", "faults", fault="list-connections:503")
    control("DELETE", "faults")
    assert control("GET", "faults") == {"faults": {}}


def test_limits_and_clock(control: Callable[..., Any], api: Api, controlled: Emulator) -> None:
    controlled.context.clock_offset -= controlled.context.now() % 1000
    control("PUT", "rate-limits", rate_limits=[{"requests": 1, "seconds": 1000, "operations": ["list-*"]}])
    assert [api("GET", LIST).status_code for _ in range(2)] == [200, 429]
    control("POST", "clock", seconds=1000)
    assert api("GET", LIST).status_code == 200
    control("PUT", "rate-limits", rate_limits=[{"seconds": 1}], status=404)
    control("PUT", "rate-limits", rate_limits=[])
    assert [api("GET", LIST).status_code for _ in range(2)] == [200, 200]


def test_seeds_and_state(control: Callable[..., Any], api: Api) -> None:
    connection = {"display_name": "Okta", "client_secret": "s3cret"}
    control("POST", "seed", organizations=[{"organization_slug": "beta", "connections": [connection]}])
    control("PUT", "identity-providers/beta", clients={"client": "s3cret"})
    hidden = control("GET", "state")
    assert [organization["organization_slug"] for organization in hidden["organizations"]] == ["acme", "beta"]
    assert "s3cret" not in json.dumps(hidden)
    assert "s3cret" in json.dumps(control("GET", "state?secrets=show"))
    assert len(api("GET", "/v1/b2b/sso/beta").json()["oidc_connections"]) == 1
    assert (
        "already taken"
        in control("POST", "seed", status=400, organizations=[{"organization_slug": "beta"}])["error"]
    )


def test_a_connection_is_edited_and_removed(
    control: Callable[..., Any], api: Api, controlled: Emulator
) -> None:
    connection_id = controlled.add_connection("acme", display_name="Okta")["connection_id"]
    control("PATCH", f"connections/{connection_id}", display_name="Renamed", client_secret="s3cret")
    assert api("GET", LIST).json()["oidc_connections"][0]["display_name"] == "Renamed"
    control("DELETE", f"connections/{connection_id}")
    assert api("GET", LIST).json()["oidc_connections"] == []
    control("PATCH", f"connections/{connection_id}", status=404)
    assert controlled.request_log.writes == ()


def test_identity_providers_and_discovery_change_at_run_time(control: Callable[..., Any], api: Api) -> None:
    issuer = control("PUT", "identity-providers/acme")["issuer"]
    assert api("GET", "/idp/acme/.well-known/openid-configuration").json()["issuer"] == issuer
    control("PUT", "identity-providers/acme", metadata={"jwks_uri": "https://moved/j"})
    assert api("GET", "/idp/acme/.well-known/openid-configuration").json()["jwks_uri"] == "https://moved/j"
    control("DELETE", "identity-providers/acme")
    assert api("GET", "/idp/acme/.well-known/openid-configuration").status_code == 404
    control("PUT", "discovery", issuer="https://x.example", document={"jwks_uri": "https://x.example/j"})
    connection = api("POST", CREATE, json={}).json()["connection"]
    path = f"{CREATE}/connections/{connection['connection_id']}"
    response = api("PUT", path, json={"issuer": "https://x.example"}).json()
    assert response["connection"]["jwks_url"] == "https://x.example/j"


def test_a_body_that_is_not_an_object(controlled: Emulator) -> None:
    for content in (b"[]", b"{"):
        response = call(controlled, "PUT", "/_control/switches", content=content)
        assert response.status_code == 400


def test_a_web_page_of_another_origin_is_refused(controlled: Emulator) -> None:
    response = call(controlled, "DELETE", "/_control/faults", headers={"Origin": "https://evil.example"})
    assert response.status_code == 400
