"""Stytch's own SDKs work with the emulator: Python, Node.js and the browser, with the same tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import log_of
from tests.clients.browser import contacted_hosts
from tests.clients.calling import ApiError
from tests.clients.conftest import ISSUER

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver import Chrome

    from reconciler.emulator import RunningEmulator
    from tests.clients.calling import Client, Session

    Open = Callable[[Session | None], Client]

# the Python SDK uses deprecated functions of its own libraries
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `dict` method is deprecated:DeprecationWarning"),
]

FIELDS: dict[str, Any] = {
    "display_name": "Acme Okta ✓",
    "identity_provider": "keycloak",
    "issuer": "https://other.example.com",
    "client_id": "client",
    "client_secret": "hush",
    "authorization_url": "https://other.example.com/authorize",
    "token_url": "https://other.example.com/token",
    "userinfo_url": "https://other.example.com/userinfo",
    "jwks_url": "https://other.example.com/keys",
    "custom_scopes": "openid email profile",
    "attribute_mapping": {"first_name": "given_name"},
}


def test_a_connection_from_create_to_delete(client: Client, running: RunningEmulator) -> None:
    created = client.create("acme", display_name="Okta", identity_provider="okta")
    assert (created["status"], created["display_name"], created["issuer"]) == ("pending", "Okta", "")
    connection_id = created["connection_id"]

    updated = client.update("acme", connection_id, issuer=ISSUER, client_id="client", client_secret="hush")
    assert (updated["status"], updated["jwks_url"]) == ("active", f"{ISSUER}/j")

    lists = client.list("acme")
    assert [connection["connection_id"] for connection in lists["oidc_connections"]] == [connection_id]
    assert [connection["display_name"] for connection in lists["saml_connections"]] == ["Legacy"]
    assert [connection["display_name"] for connection in lists["external_connections"]] == ["Shared"]

    assert client.delete("acme", connection_id) == connection_id
    assert running.emulator.oidc_connections("acme") == ()


def test_every_field_is_stored_as_sent(client: Client, running: RunningEmulator) -> None:
    connection_id = client.create("acme")["connection_id"]
    updated = client.update("acme", connection_id, **FIELDS)
    stored = running.emulator.connection(connection_id)
    for name, value in FIELDS.items():
        assert stored[name] == updated[name] == value


def test_an_organization_is_read_and_found(client: Client, running: RunningEmulator) -> None:
    organization_id = running.emulator.organization("acme")["organization_id"]
    organization = client.organization("customer-1")
    assert (organization["organization_id"], organization["organization_slug"]) == (organization_id, "acme")
    assert client.find("acme") == organization_id


def test_another_organization_is_refused(open_client: Open, running: RunningEmulator) -> None:
    foreign = running.emulator.add_connection("acme", display_name="Theirs")
    client = open_client(running.emulator.add_session("globex", "stytch_admin"))
    attempts: list[Callable[[], Any]] = [
        lambda: client.update("acme", foreign["connection_id"], display_name="Ours"),
        lambda: client.delete("acme", foreign["connection_id"]),
    ]
    if not is_browser(client):  # it cannot name another organization
        attempts += [lambda: client.list("acme"), lambda: client.create("acme")]
    for attempt in attempts:
        with pytest.raises(ApiError) as caught:
            attempt()
        assert caught.value.status == 403
        assert caught.value.error_type == (
            "session_authorization_error" if is_browser(client) else "session_authorization_tenancy_error"
        )
    assert running.emulator.oidc_connections("acme") == (foreign,)
    assert client.list("globex")["oidc_connections"] == []
    client.create("globex", display_name="Own")
    assert [own["display_name"] for own in running.emulator.oidc_connections("globex")] == ["Own"]


def test_a_member_without_the_role_is_refused(open_client: Open, running: RunningEmulator) -> None:
    client = open_client(running.emulator.add_session("acme"))
    with pytest.raises(ApiError) as caught:
        client.create("acme", display_name="Okta")
    assert (caught.value.status, caught.value.error_type) == (403, "session_authorization_error")
    assert running.emulator.oidc_connections("acme") == ()


def test_an_ended_session_is_understood(open_client: Open, running: RunningEmulator) -> None:
    client = open_client(running.emulator.add_session("acme", "stytch_admin", expires_at=0.0))
    with pytest.raises(ApiError) as caught:
        client.list("acme")
    assert (caught.value.status, caught.value.error_type) == (404, "session_not_found")


def test_errors_are_understood(client: Client) -> None:
    with pytest.raises(ApiError) as caught:
        client.create("acme", identity_provider="hotmail")
    assert (caught.value.status, caught.value.error_type) == (400, "invalid_sso_idp")
    assert caught.value.request_id.startswith("request-id-test-")
    for attempt, error_type in (
        (lambda: client.update("acme", UNKNOWN, display_name="x"), "oidc_connection_not_found"),
        (lambda: client.delete("acme", UNKNOWN), "sso_connection_not_found"),
    ):
        with pytest.raises(ApiError) as caught:
            attempt()
        assert (caught.value.status, caught.value.error_type) == (404, error_type)


def test_clients_call_known_endpoints_only(client: Client, running: RunningEmulator) -> None:
    connection_id = client.create("acme")["connection_id"]
    client.update("acme", connection_id, display_name="Okta")
    client.list("acme")
    client.organization("acme")
    client.delete("acme", connection_id)
    requests = running.emulator.request_log.entries
    assert len(requests) >= 5
    assert {request.status for request in requests} == {200}


@pytest.mark.parametrize("open_client", ["browser"], indirect=True)
def test_the_page_contacts_no_other_host(client: Client, chrome: Chrome) -> None:
    client.list("acme")
    assert contacted_hosts(chrome) == {"127.0.0.1"}
    assert [entry for entry in log_of(chrome, "browser") if "/sdk/" not in entry["message"]] == []


UNKNOWN = "oidc-connection-test-00000000-0000-4000-8000-000000000000"


def is_browser(client: Client) -> bool:
    return type(client).__name__ == "_BrowserClient"
