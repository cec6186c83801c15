"""What only a server that can misbehave on request can show, through both APIs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from reconciler.core.connection import OidcConnection
from reconciler.core.errors import AccessDenied, RequestRejected, Unavailable, UnknownOutcome
from reconciler.core.secret import Secret
from reconciler.core.state import Organization
from reconciler.emulator import Effect, Fault, First, RateLimit
from tests.providers.stage import EMULATED, Stage, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary-client-secret"
VERBS = ("create", "update", "delete")


@pytest.fixture(params=EMULATED)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with staged(request.param, log_secrets=True) as opened:
        yield opened


@pytest.fixture
def organization(stage: Stage) -> Organization:
    assert stage.emulator is not None
    return Organization(organization_id=stage.emulator.organization("acme")["organization_id"], slug="acme")


@pytest.fixture
def connection_id(stage: Stage) -> str:
    assert stage.emulator is not None
    return str(stage.emulator.add_connection("acme", display_name="Before")["connection_id"])


def verbs(organization: Organization, connection_id: str) -> dict[str, Any]:
    owner = organization.organization_id
    return {
        "create": lambda provider: provider.create_connection(owner, "New", "okta"),
        "update": lambda provider: provider.update_connection(
            owner, connection_id, OidcConnection(display_name="After")
        ),
        "delete": lambda provider: provider.delete_connection(owner, connection_id),
    }


def has_happened(stage: Stage, verb: str, connection_id: str) -> bool:
    stored = {connection["connection_id"]: connection["display_name"] for connection in stage.stored()}
    match verb:
        case "create":
            return "New" in stored.values()
        case "update":
            return bool(stored[connection_id] == "After")
        case _:
            return connection_id not in stored


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(Effect.ERROR, status=500),
        Fault(Effect.ERROR, status=503),
        Fault(Effect.HTML, status=502),
        Fault(Effect.EMPTY, status=200),
        Fault(Effect.MALFORMED, status=200),
        Fault(Effect.TRUNCATED),
        Fault(Effect.RESET),
    ],
    ids=lambda fault: f"{fault.effect.value}-{fault.status}",
)
def test_a_write_that_goes_wrong_is_not_known_and_sent_once(
    stage: Stage, organization: Organization, after: bool, fault: Fault
) -> None:
    emulator = stage.emulator
    assert emulator is not None
    emulator.add_fault(replace(fault, operations=("writes",), after=after))
    for name in VERBS:
        connection_id = emulator.add_connection("acme", display_name="Before")["connection_id"]
        with pytest.raises(UnknownOutcome, match="read the live state"):
            stage.ask(verbs(organization, connection_id)[name])
        assert has_happened(stage, name, connection_id) is after
    assert len(emulator.request_log.writes) == len(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_a_write_that_is_refused_for_its_number_happens_later_and_once(
    stage: Stage, organization: Organization, connection_id: str, name: str
) -> None:
    assert stage.emulator is not None
    stage.emulator.add_fault(Fault(Effect.ERROR, ("writes",), First(2), status=429))
    stage.ask(verbs(organization, connection_id)[name])
    assert has_happened(stage, name, connection_id)
    assert sum(entry.applied for entry in stage.emulator.request_log.writes) == 1


@pytest.mark.parametrize(
    "effect", [Effect.HTML, Effect.EMPTY, Effect.MALFORMED, Effect.TRUNCATED, Effect.RESET]
)
def test_a_read_survives_faults(
    stage: Stage, organization: Organization, connection_id: str, effect: Effect
) -> None:
    assert stage.emulator is not None
    stage.emulator.add_fault(Fault(effect, ("*list-connections",), First(2), status=200))
    live = stage.ask(lambda provider: provider.read_organization(organization))
    assert [connection.connection_id for connection in live.connections] == [connection_id]
    assert len(live.other_connections) == 2


def test_a_write_that_stays_refused_is_unavailable(
    stage: Stage, organization: Organization, connection_id: str
) -> None:
    assert stage.emulator is not None
    stage.emulator.add_fault(Fault(Effect.ERROR, ("writes",), status=429, retry_after=600))
    with pytest.raises(Unavailable, match="gave up"):
        stage.ask(verbs(organization, connection_id)["update"])
    assert stage.stored()[0]["display_name"] == "Before"


def test_absent_null_and_empty_read_the_same(stage: Stage, organization: Organization) -> None:
    assert stage.emulator is not None
    stage.emulator.add_connection("acme", display_name="Fresh", identity_provider="generic")
    seen = []
    for unset in ("empty-string", "absent", "null", "empty-object"):
        for empty in ("empty", "null", "absent"):
            stage.emulator.set_switch("unset-fields", unset)
            stage.emulator.set_switch("empty-lists", empty)
            seen.append(stage.ask(lambda provider: provider.read_organization(organization)))
    assert all(one == seen[0] for one in seen)
    assert len(seen[0].connections) == 1


def test_scopes_are_sent_encoded_where_spaces_are_refused(stage: Stage) -> None:
    assert stage.emulator is not None
    stage.emulator.set_switch("custom-scopes", "spaces-rejected")

    async def question(provider: Any) -> Any:
        found = await provider.find_organizations(["acme"])
        own = found["acme"].organization_id
        created = await provider.create_connection(own, "Okta", "okta")
        values = OidcConnection(custom_scopes=("email", "https://idp.example/read", "openid"))
        return await provider.update_connection(own, created.connection_id, values)

    written = stage.ask(question)
    assert written.connection.custom_scopes == ("email", "https://idp.example/read", "openid")
    assert [entry.status for entry in stage.emulator.request_log.writes] == [200, 400, 200]


@pytest.mark.parametrize("scopes", [("openid",), None])
def test_a_refusal_that_is_not_about_spaces_is_not_answered_with_another_write(
    stage: Stage, scopes: tuple[str, ...] | None
) -> None:
    assert stage.emulator is not None
    prefix = "frontend-" if stage.variant.startswith("session") else ""
    stage.emulator.add_fault(f"{prefix}update-oidc-connection:bad_request")

    async def question(provider: Any) -> Any:
        found = await provider.find_organizations(["acme"])
        own = found["acme"].organization_id
        created = await provider.create_connection(own, "Okta", "okta")
        await provider.update_connection(
            own, created.connection_id, OidcConnection(client_id="x", custom_scopes=scopes)
        )

    with pytest.raises(RequestRejected):
        stage.ask(question)
    assert [entry.status for entry in stage.emulator.request_log.writes] == [200, 400]


def test_scopes_read_back_encoded_are_the_same_scopes(
    stage: Stage, organization: Organization, connection_id: str
) -> None:
    assert stage.emulator is not None
    stage.emulator.set_switch("custom-scopes", "encoded")
    values = OidcConnection(custom_scopes=("email", "openid"))
    written = stage.ask(
        lambda provider: provider.update_connection(organization.organization_id, connection_id, values)
    )
    assert written.connection.custom_scopes == ("email", "openid")


def test_a_masked_secret_is_seen_to_be_masked(
    stage: Stage, organization: Organization, connection_id: str
) -> None:
    assert stage.emulator is not None
    stage.emulator.edit_connection(connection_id, client_secret=CANARY)
    stage.emulator.set_switch("client-secret", "masked")
    live = stage.ask(lambda provider: provider.read_organization(organization))
    assert live.connections[0].client_secret.is_masked


def test_a_warning_of_the_server_comes_back(
    stage: Stage, organization: Organization, connection_id: str
) -> None:
    assert stage.emulator is not None
    issuer = "https://idp.invalid"
    stage.emulator.set_discovery(issuer, failure="no answer from the identity provider")
    values = OidcConnection(issuer=issuer)
    written = stage.ask(
        lambda provider: provider.update_connection(organization.organization_id, connection_id, values)
    )
    assert written.warning
    assert written.connection.issuer == issuer


def test_inferred_values_come_back(stage: Stage, organization: Organization, connection_id: str) -> None:
    assert stage.emulator is not None
    issuer = "https://idp.invalid"
    stage.emulator.set_discovery(issuer, {"issuer": issuer, "jwks_uri": f"{issuer}/keys"})
    written = stage.ask(
        lambda provider: provider.update_connection(
            organization.organization_id, connection_id, OidcConnection(issuer=issuer)
        )
    )
    assert written.connection.jwks_url == f"{issuer}/keys"


def test_secrets_go_over_the_wire_and_nowhere_else(
    stage: Stage, organization: Organization, connection_id: str
) -> None:
    assert stage.emulator is not None
    values = OidcConnection(client_secret=Secret(CANARY))
    with structlog.testing.capture_logs() as logged:
        stage.ask(
            lambda provider: provider.update_connection(organization.organization_id, connection_id, values)
        )
    sent = stage.emulator.request_log.writes[0]
    assert sent.body["client_secret"] == CANARY
    assert stage.stored()[0]["client_secret"] == CANARY
    text = repr(logged)
    assert CANARY not in text
    assert "Basic" not in text
    assert "session-token" not in text
    assert "secret-test" not in text


def test_every_call_is_logged_once_with_what_support_asks_for(
    stage: Stage, organization: Organization
) -> None:
    assert stage.emulator is not None
    stage.emulator.add_fault(Fault(Effect.ERROR, ("*list-connections",), First(1), status=503))
    with structlog.testing.capture_logs() as logged:
        stage.ask(lambda provider: provider.read_organization(organization))
    logged = [entry for entry in logged if entry["event"] == "api call"]
    received = [(one.method, one.path, one.status, one.request_id) for one in stage.emulator.request_log]
    assert [(one["method"], one["path"], one["status"], one["request_id"]) for one in logged] == received
    assert [(one["attempt"], one["log_level"]) for one in logged[-2:]] == [(1, "warning"), (2, "info")]
    assert all(one["duration_ms"] >= 0 for one in logged)


def test_only_what_is_documented_is_sent(
    stage: Stage, organization: Organization, connection_id: str
) -> None:
    """The emulator refuses unknown keys here, as the service might."""
    assert stage.emulator is not None
    stage.emulator.set_switch("unknown-keys", "rejected")

    async def question(provider: Any) -> None:
        await provider.find_organizations(["acme", "crm|1"])
        for verb in verbs(organization, connection_id).values():
            await verb(provider)

    stage.ask(question)
    for one in stage.emulator.request_log:
        assert one.headers["content-type"] == "application/json"
        assert one.headers["user-agent"].startswith("reconciler/")
        assert ("x-sdk-client" in one.headers) == stage.variant.startswith("session")


def test_a_busy_service_gets_every_call_done(stage: Stage, organization: Organization) -> None:
    assert stage.emulator is not None
    stage.emulator.set_rate_limits(RateLimit(5, 0.02))

    async def question(provider: Any) -> list[Any]:
        return await asyncio.gather(*(provider.read_organization(organization) for _ in range(20)))

    assert len(stage.ask(question)) == 20


@pytest.mark.parametrize("variant", ["session in-process", "session over loopback"])
def test_a_session_leads_to_its_own_organization_only(variant: str) -> None:
    with staged(variant) as stage:
        emulator = stage.emulator
        assert emulator is not None
        other = Organization(organization_id=emulator.organization("beta")["organization_id"], slug="beta")
        own_id = emulator.organization("acme")["organization_id"]

        async def question(provider: Any) -> None:
            found = await provider.find_organizations(["acme", "crm|1", own_id, "beta"])
            assert [found[one].organization_id for one in ("acme", "crm|1", own_id)] == [own_id] * 3
            assert isinstance(found["beta"], RequestRejected)
            assert "'beta'" in str(found["beta"])
            assert own_id in str(found["beta"])
            for refused in (
                provider.read_organization(other),
                provider.refresh_organization(other),
                provider.create_connection(other.organization_id, "x", "okta"),
                provider.update_connection(other.organization_id, "oidc-connection-test-1", OidcConnection()),
                provider.delete_connection(other.organization_id, "oidc-connection-test-1"),
            ):
                with pytest.raises(RequestRejected, match="the session belongs to organization"):
                    await refused

        stage.ask(question)
        assert {one.operation for one in emulator.request_log} == {"frontend-get-organization"}


@pytest.mark.parametrize("variant", ["member in-process", "session in-process"])
def test_a_member_without_the_role_is_told_what_is_missing(variant: str) -> None:
    with staged(variant) as stage:
        assert stage.emulator is not None
        token = Secret(stage.emulator.add_session("acme", "stytch_member")["session_token"])
        target: Any = stage.target

        async def question(provider: Any) -> None:
            own = (await provider.find_organizations(["acme"]))["acme"]
            with pytest.raises(AccessDenied, match=r"stytch\.sso"):
                await provider.create_connection(own.organization_id, "x", "okta")

        stage.ask(question, target=replace(target, session_token=token))


@pytest.mark.parametrize("variant", ["member in-process", "session in-process"])
def test_a_session_that_has_ended_says_so(variant: str) -> None:
    with staged(variant) as stage:
        assert stage.emulator is not None
        token = Secret(stage.emulator.add_session("acme", "stytch_admin", expires_at=1.0)["session_token"])
        target: Any = stage.target

        own = Organization(organization_id=stage.emulator.organization("acme")["organization_id"])
        with pytest.raises(AccessDenied, match="log in again"):
            stage.ask(
                lambda provider: provider.read_organization(own), target=replace(target, session_token=token)
            )


def test_through_the_backend_all_organizations_are_listed() -> None:
    with staged("backend in-process") as stage:
        assert stage.emulator is not None
        for number in range(30):
            stage.emulator.add_organization(f"more-{number}")

        async def question(provider: Any) -> list[str]:
            return [organization.slug async for organization in provider.list_organizations()]

        assert len(set(stage.ask(question))) == 32
