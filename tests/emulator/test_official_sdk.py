"""Stytch's own Python SDK, which nobody here wrote, gets along with the emulator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stytch
from stytch.b2b.models.organizations import SearchQuery, SearchQueryOperator
from stytch.b2b.models.sso import DeleteConnectionRequestOptions, GetConnectionsRequestOptions
from stytch.core.response_base import StytchError
from stytch.shared.method_options import Authorization

from reconciler.emulator import (
    DEFAULT_PROJECT_ID,
    DEFAULT_PUBLIC_TOKEN,
    DEFAULT_SECRET,
    EmulatorSettings,
    running_emulator,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.emulator import RunningEmulator

# the SDK still uses what its own libraries have deprecated
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The `dict` method is deprecated:DeprecationWarning"),
]

ISSUER = "https://idp.example.com"
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "userinfo_endpoint": f"{ISSUER}/u",
    "jwks_uri": f"{ISSUER}/j",
}


@pytest.fixture
def server() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings()) as running:
        running.emulator.add_organization("acme", organization_external_id="customer-1")
        running.emulator.add_connection("acme", "saml", display_name="Legacy")
        running.emulator.add_connection("acme", "external", display_name="Shared")
        running.emulator.set_discovery(ISSUER, METADATA)
        yield running


def make_client(server: RunningEmulator) -> stytch.B2BClient:
    """`environment` takes a base URL; `custom_base_url` would insist on https."""
    return stytch.B2BClient(
        project_id=DEFAULT_PROJECT_ID, secret=DEFAULT_SECRET, environment=f"{server.base_url}/"
    )


@pytest.fixture
def client(server: RunningEmulator) -> Iterator[stytch.B2BClient]:
    client = make_client(server)
    yield client
    asyncio.run(client.close())


def test_a_connection_from_create_to_delete(client: stytch.B2BClient, server: RunningEmulator) -> None:
    created = client.sso.oidc.create_connection(
        organization_id="acme", display_name="Okta", identity_provider="okta"
    )
    assert created.status_code == 200
    assert created.connection is not None
    assert (created.connection.status, created.connection.display_name) == ("pending", "Okta")
    connection_id = created.connection.connection_id

    updated = client.sso.oidc.update_connection(
        organization_id="acme",
        connection_id=connection_id,
        issuer=ISSUER,
        client_id="client",
        client_secret="hush",
        custom_scopes="openid email profile",
        attribute_mapping={"first_name": "given_name"},
    )
    assert updated.connection is not None
    assert updated.connection.status == "active"
    assert updated.connection.jwks_url == f"{ISSUER}/j"
    assert updated.connection.attribute_mapping == {"first_name": "given_name"}
    assert not updated.warning

    lists = client.sso.get_connections(organization_id="customer-1")
    assert [connection.connection_id for connection in lists.oidc_connections] == [connection_id]
    assert [connection.display_name for connection in lists.saml_connections] == ["Legacy"]
    assert [connection.display_name for connection in lists.external_connections] == ["Shared"]

    organization = client.organizations.get(organization_id="acme").organization
    assert organization.sso_default_connection_id is not None
    assert connection_id in {connection.connection_id for connection in organization.sso_active_connections}

    default = client.organizations.update(
        organization_id="acme", sso_default_connection_id=organization.sso_active_connections[0].connection_id
    )
    assert default.status_code == 200
    client.sso.delete_connection(organization_id="acme", connection_id=connection_id)
    assert server.emulator.oidc_connections("acme") == ()


def test_the_asynchronous_client(server: RunningEmulator) -> None:
    async def live() -> list[str]:
        client = make_client(server)
        try:
            created = await client.sso.oidc.create_connection_async(organization_id="acme")
            assert created.connection is not None
            connection_id = created.connection.connection_id
            await client.sso.oidc.update_connection_async(
                organization_id="acme", connection_id=connection_id, display_name="Named"
            )
            lists = await client.sso.get_connections_async(organization_id="acme")
            page = await client.organizations.search_async(limit=10)
            await client.sso.delete_connection_async(organization_id="acme", connection_id=connection_id)
            names = [connection.display_name for connection in lists.oidc_connections]
            return [*names, *(organization.organization_slug for organization in page.organizations)]
        finally:
            await client.close()

    assert asyncio.run(live()) == ["Named", "acme"]
    assert server.emulator.oidc_connections("acme") == ()


def test_searching_page_by_page(client: stytch.B2BClient, server: RunningEmulator) -> None:
    for number in range(4):
        server.emulator.add_organization(f"org-{number}")
    slugs: list[str] = []
    cursor: str | None = None
    for _page in range(3):
        page = client.organizations.search(limit=2, cursor=cursor)
        slugs.extend(organization.organization_slug for organization in page.organizations)
        cursor = page.results_metadata.next_cursor
    assert cursor is None
    assert slugs == ["acme", "org-0", "org-1", "org-2", "org-3"]


def test_searching_with_filters(client: stytch.B2BClient, server: RunningEmulator) -> None:
    server.emulator.add_organization("beta")
    operands: list[dict[str, Any]] = [{"filter_name": "organization_slugs", "filter_value": ["beta"]}]
    query = SearchQuery(operator=SearchQueryOperator.AND, operands=operands)
    page = client.organizations.search(query=query)
    assert [organization.organization_slug for organization in page.organizations] == ["beta"]
    assert page.results_metadata.total == 1


@pytest.mark.parametrize(
    ("call", "status", "error_type"),
    [
        (lambda sso: sso.get_connections(organization_id="nobody"), 404, "organization_not_found"),
        (
            lambda sso: sso.delete_connection(
                organization_id="acme", connection_id="oidc-connection-test-nope"
            ),
            404,
            "sso_connection_not_found",
        ),
        (
            lambda sso: sso.oidc.create_connection(organization_id="acme", identity_provider="hotmail"),
            400,
            "invalid_sso_idp",
        ),
    ],
)
def test_errors_are_understood(
    client: stytch.B2BClient, call: Callable[[Any], object], status: int, error_type: str
) -> None:
    with pytest.raises(StytchError) as raised:
        call(client.sso)
    details = raised.value.details
    assert (details.status_code, details.error_type) == (status, error_type)
    assert details.request_id is not None
    assert details.request_id.startswith("request-id-test-")


def test_wrong_keys_are_understood(server: RunningEmulator) -> None:
    client = stytch.B2BClient(
        project_id=DEFAULT_PROJECT_ID, secret="secret-test-wrong", environment=f"{server.base_url}/"
    )
    with pytest.raises(StytchError) as raised:
        client.sso.get_connections(organization_id="acme")
    assert raised.value.details.error_type == "unauthorized_credentials"


def test_member_sessions_are_understood(client: stytch.B2BClient, server: RunningEmulator) -> None:
    def options(*roles: str) -> Authorization:
        return Authorization(session_token=server.emulator.add_session("acme", *roles)["session_token"])

    lists = client.sso.get_connections(
        organization_id="acme",
        method_options=GetConnectionsRequestOptions(authorization=options("stytch_admin")),
    )
    with pytest.raises(StytchError) as raised:
        client.sso.delete_connection(
            organization_id="acme",
            connection_id=lists.saml_connections[0].connection_id,
            method_options=DeleteConnectionRequestOptions(authorization=options()),
        )
    assert raised.value.details.error_type == "session_authorization_error"


def sso_token(server: RunningEmulator, organization: str = "acme") -> str:
    """Log alice in through a connection; return the token that the application gets."""
    issuer = f"{server.base_url}/idp/acme"
    server.emulator.add_identity_provider("acme")
    connection = server.emulator.add_connection(
        organization,
        issuer=issuer,
        client_id="client",
        client_secret="hush",
        redirect_url=f"{server.base_url}/v1/b2b/sso/callback/oidc-connection-test-1",
        connection_id="oidc-connection-test-1",
        **{f"{name}_url": f"{issuer}/{name}" for name in ("token", "userinfo", "jwks")},
        authorization_url=f"{issuer}/authorize",
    )
    start = {
        "connection_id": connection["connection_id"],
        "public_token": DEFAULT_PUBLIC_TOKEN,
        "login_redirect_url": "http://127.0.0.1:1/",
    }
    with httpx.Client() as browser:
        page = browser.get(f"{server.base_url}/v1/public/sso/start", params=start).headers["location"]
        callback = browser.post(page, data={"username": "alice", "password": "x"}).headers["location"]
        return str(httpx.URL(browser.get(callback).headers["location"]).params["token"])


def test_a_login(client: stytch.B2BClient, server: RunningEmulator) -> None:
    token = sso_token(server)
    answer = client.sso.authenticate(sso_token=token, session_duration_minutes=5)
    assert (answer.member.email_address, answer.member_authenticated) == ("alice@example.com", True)
    assert answer.organization.organization_slug == "acme"
    assert answer.member_session
    (factor,) = answer.member_session.authentication_factors
    assert factor.oidc_sso_factor
    assert factor.oidc_sso_factor.provider_id == "oidc-connection-test-1"
    with pytest.raises(StytchError) as refused:
        client.sso.authenticate(sso_token=token)
    assert refused.value.details.error_type == "sso_token_not_found"


@pytest.mark.parametrize("name", ["session_token", "session_jwt", "member_session_id", "member_id"])
def test_a_session_is_revoked(client: stytch.B2BClient, server: RunningEmulator, name: str) -> None:
    answer = client.sso.authenticate(sso_token=sso_token(server), session_duration_minutes=5)
    assert answer.member_session
    value = getattr(answer, name, None) or answer.member_session.member_session_id
    revoke: Callable[..., Any] = client.sessions.revoke
    revoked = revoke(**{name: value})
    assert (revoked.status_code, revoked.request_id[:8]) == (200, "request-")
    assert server.emulator.context.state.get("sessions", answer.session_token) is None
    if name == "member_id":  # a member without sessions
        assert revoke(member_id=value).status_code == 200
        return
    with pytest.raises(StytchError) as refused:
        revoke(**{name: value})
    assert refused.value.details.error_type == "session_not_found"


def test_a_revocation_names_one_session(client: stytch.B2BClient) -> None:
    revoke: Callable[..., Any] = client.sessions.revoke
    for names in ({}, {"session_token": "a-token", "member_id": "a-member"}):
        with pytest.raises(StytchError) as refused:
            revoke(**names)
        assert refused.value.details.error_type == "bad_request"


def test_a_login_where_a_second_factor_is_required(client: stytch.B2BClient, server: RunningEmulator) -> None:
    server.emulator.add_organization("strict", mfa_policy="REQUIRED_FOR_ALL")
    answer = client.sso.authenticate(sso_token=sso_token(server, "strict"))
    assert (answer.member_authenticated, answer.session_token, answer.member_session) == (False, "", None)
    assert answer.intermediate_session_token
    assert answer.mfa_required
