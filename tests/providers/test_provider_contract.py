"""What every provider keeps, whatever is behind it: one suite for both APIs and all servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.connection import OidcConnection
from reconciler.core.errors import (
    AccessDenied,
    ConnectionNotFound,
    OrganizationNotFound,
    ProviderError,
    RequestRejected,
)
from reconciler.core.secret import Secret
from reconciler.core.state import Organization
from reconciler.providers.base import Written
from tests.providers.stage import EMULATED, Stage, real_is_set, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = 'canary-client-secret-äöü-"\\ \n'

VARIANTS = (*EMULATED, "real project") if real_is_set() else EMULATED


@pytest.fixture(params=VARIANTS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with staged(request.param) as opened:
        yield opened


async def organization_of(stage: Stage, provider: Any) -> Organization:
    found = (await provider.find_organizations([stage.organization]))[stage.organization]
    assert isinstance(found, Organization)
    return found


async def create(stage: Stage, provider: Any, identity_provider: str = "okta") -> tuple[Organization, Any]:
    organization = await organization_of(stage, provider)
    name = stage.new_name()
    created = await provider.create_connection(organization.organization_id, name, identity_provider)
    assert created.display_name == name
    return organization, created


async def live(provider: Any, organization: Organization, connection_id: str) -> OidcConnection | None:
    found = await provider.read_organization(organization)
    assert found.organization == organization
    connection: OidcConnection | None = found.connection(connection_id)
    return connection


def test_every_reference_gets_an_entry(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        own = await organization_of(stage, provider)
        references = [stage.organization, own.organization_id, "no-such-organization", "no|such"]
        found = await provider.find_organizations(references)
        assert list(found) == references
        assert found[stage.organization] == found[own.organization_id] == own
        assert own.organization_id.startswith("organization-")
        for reference in references[2:]:
            assert isinstance(found[reference], (OrganizationNotFound, RequestRejected))

    stage.ask(question)


def test_the_organization_is_listed_and_can_be_read_again(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        own = await organization_of(stage, provider)
        assert await provider.refresh_organization(own) == own
        assert own in [organization async for organization in provider.list_organizations()]

    stage.ask(question)


def test_a_created_connection_is_pending_empty_and_live(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        organization, created = await create(stage, provider)
        assert created.connection_id.startswith("oidc-connection-")
        assert created.connection_id in created.redirect_url
        assert created.status == "pending"
        assert created.is_unconfigured
        assert created.identity_provider == "okta"
        assert created.client_secret == Secret("")
        assert (created.custom_scopes, created.attribute_mapping) == ((), {})
        assert await live(provider, organization, created.connection_id) == created

    stage.ask(question)


def test_two_connections_may_share_a_name(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        organization, created = await create(stage, provider)
        again = await provider.create_connection(organization.organization_id, created.display_name, "okta")
        assert again.connection_id != created.connection_id

    stage.ask(question)


def test_an_update_sets_what_has_a_value_and_leaves_the_rest_alone(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        organization, created = await create(stage, provider)
        first = OidcConnection(client_id="one", client_secret=Secret(CANARY))
        await provider.update_connection(organization.organization_id, created.connection_id, first)
        second = OidcConnection(client_id="two")
        written = await provider.update_connection(
            organization.organization_id, created.connection_id, second
        )
        expected = replace(created, client_id="two", client_secret=Secret(CANARY))
        assert written == Written(expected)
        assert await live(provider, organization, created.connection_id) == expected

    stage.ask(question)


def test_every_writable_field_is_read_back_as_it_was_written(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        organization, created = await create(stage, provider)
        issuer = "https://idp.invalid/tenant"
        values = OidcConnection(
            display_name=stage.new_name(),
            identity_provider="microsoft-entra",
            issuer=issuer,
            client_id="client id & more",
            client_secret=Secret(CANARY),
            authorization_url=f"{issuer}/authorize",
            token_url=f"{issuer}/token",
            userinfo_url=f"{issuer}/userinfo",
            jwks_url=f"{issuer}/jwks?x=1",
            custom_scopes=("email", "groups", "openid", "profile"),
            attribute_mapping={"first_name": "given_name"},
        )
        written = await provider.update_connection(
            organization.organization_id, created.connection_id, values
        )
        assert written.connection.only(values.declared_fields) == values
        assert written.connection.status == "active"
        assert await live(provider, organization, created.connection_id) == written.connection

    stage.ask(question)


def test_a_deleted_connection_is_gone_and_gone_again_is_told_as_such(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        organization, created = await create(stage, provider)
        await provider.delete_connection(organization.organization_id, created.connection_id)
        assert await live(provider, organization, created.connection_id) is None
        with pytest.raises(ConnectionNotFound):
            await provider.delete_connection(organization.organization_id, created.connection_id)
        with pytest.raises(ConnectionNotFound):
            await provider.update_connection(
                organization.organization_id, created.connection_id, OidcConnection(client_id="x")
            )

    stage.ask(question)


def test_what_the_service_does_not_know_is_rejected(stage: Stage) -> None:
    async def question(provider: Any) -> None:
        organization = await organization_of(stage, provider)
        with pytest.raises(RequestRejected, match=organization.organization_id) as caught:
            await provider.create_connection(organization.organization_id, stage.new_name(), "no-such-idp")
        assert caught.value.status == 400
        assert caught.value.request_id

    stage.ask(question)


@pytest.mark.parametrize(
    "connection_id", ["saml-connection-test-1", "external-connection-test-1", "", "../x"]
)
def test_nothing_but_an_oidc_connection_is_ever_written_to(stage: Stage, connection_id: str) -> None:
    async def question(provider: Any) -> None:
        organization = await organization_of(stage, provider)
        with pytest.raises(RequestRejected, match="nothing was sent"):
            await provider.delete_connection(organization.organization_id, connection_id)
        with pytest.raises(RequestRejected, match="nothing was sent"):
            await provider.update_connection(
                organization.organization_id, connection_id, OidcConnection(client_id="x")
            )

    stage.ask(question)
    if stage.emulator is not None:
        assert not stage.emulator.request_log.writes


def test_wrong_credentials_are_denied_by_every_verb(stage: Stage) -> None:
    wrong: dict[str, Any] = (
        {"session_token": Secret("wrong")}
        if stage.variant.startswith("session")
        else {"secret": Secret("wrong")}
    )
    organization = Organization(organization_id="organization-test-1")

    async def question(provider: Any) -> None:
        for denied in (
            provider.find_organizations(["aa", "bb"]),
            provider.read_organization(organization),
            provider.refresh_organization(organization),
            provider.create_connection("organization-test-1", "x", "okta"),
            provider.update_connection("organization-test-1", "oidc-connection-test-1", OidcConnection()),
            provider.delete_connection("organization-test-1", "oidc-connection-test-1"),
        ):
            with pytest.raises(AccessDenied):
                await denied

    stage.ask(question, target=replace(stage.target, **wrong))


def test_an_organization_that_does_not_exist_is_told_as_such(stage: Stage) -> None:
    nowhere = Organization(organization_id="organization-test-00000000-0000-4000-8000-000000000000")

    async def question(provider: Any) -> None:
        for missing in (
            provider.read_organization(nowhere),
            provider.refresh_organization(nowhere),
            provider.create_connection(nowhere.organization_id, "x", "okta"),
        ):
            with pytest.raises(
                (OrganizationNotFound, RequestRejected, AccessDenied), match=nowhere.organization_id
            ):
                await missing

    stage.ask(question)


def test_no_secret_is_in_any_value_that_comes_back(stage: Stage) -> None:
    async def question(provider: Any) -> list[object]:
        organization, created = await create(stage, provider)
        values = OidcConnection(client_secret=Secret(CANARY))
        written = await provider.update_connection(
            organization.organization_id, created.connection_id, values
        )
        try:
            await provider.update_connection(
                organization.organization_id, created.connection_id + "0", values
            )
        except ProviderError as error:
            return [written, await provider.read_organization(organization), error, repr(error), provider]
        raise AssertionError("an unknown connection was updated")

    shown = [f"{one!r} {one}" for one in stage.ask(question)]
    assert not any("canary" in one for one in shown)
