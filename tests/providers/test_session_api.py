"""What is particular to the session API: its wrapping, its introduction, its one organization."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.core.errors import MalformedAnswer, RequestRejected, UnknownOutcome
from tests.providers.support import (
    ACME,
    CONNECTION_ID,
    MEMBER,
    TOKEN,
    Script,
    ask,
    connection,
    ok,
    organization,
    wrapped,
)

if TYPE_CHECKING:
    from reconciler.providers.base import Provider
    from reconciler.providers.stytch.backend import Backend
    from reconciler.providers.stytch.session import Session

OWN = wrapped(organization=organization("acme"))


def both_doors_are_providers(backend: Backend, session: Session) -> tuple[Provider, Provider]:
    """Checked by the type checker alone."""
    return backend, session


async def read(provider: Any) -> Any:
    return await provider.read_organization(ACME)


def test_the_paths_never_name_an_organization() -> None:
    script = Script(OWN, wrapped(connection=connection(), oidc_connections=[connection()]))

    async def everything(provider: Any) -> None:
        await provider.read_organization(ACME)
        await provider.create_connection(ACME.organization_id, "Acme Okta", "okta")
        await provider.update_connection(
            ACME.organization_id, CONNECTION_ID, (await read(provider)).connections[0]
        )
        await provider.delete_connection(ACME.organization_id, CONNECTION_ID)

    ask(script, everything, MEMBER)
    assert script.paths == [
        "GET /sdk/v1/b2b/organizations/me",
        "GET /sdk/v1/b2b/sso",
        "POST /sdk/v1/b2b/sso/oidc",
        "GET /sdk/v1/b2b/sso",
        f"PUT /sdk/v1/b2b/sso/oidc/{CONNECTION_ID}",
        f"DELETE /sdk/v1/b2b/sso/{CONNECTION_ID}",
    ]


def test_every_call_introduces_the_client_and_has_an_id_of_its_own() -> None:
    script = Script(OWN, wrapped(oidc_connections=[]))
    ask(script, read, MEMBER)
    introductions = [json.loads(b64decode(request.headers["X-SDK-Client"])) for request in script.requests]
    first, second = introductions
    assert first["event_id"].startswith("event-id-")
    assert first["event_id"] != second["event_id"]
    assert first["app_session_id"] == second["app_session_id"]
    assert first["persistent_id"] == second["persistent_id"]
    assert first["client_sent_at"] == "2027-01-15T08:00:00.000+00:00"
    assert first["sdk"]["identifier"] == first["app"]["identifier"] == "reconciler"
    authorization = script.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert b64decode(authorization).decode() == f"public-token-test-1:{TOKEN}"


@pytest.mark.parametrize("answer", [ok(oidc_connections=[]), httpx.Response(200, json={"data": []})])
def test_an_answer_that_is_not_wrapped_is_not_taken(answer: httpx.Response) -> None:
    with pytest.raises(MalformedAnswer):
        ask(Script(OWN, answer), read, MEMBER)


def test_a_write_whose_answer_is_not_wrapped_is_not_known() -> None:
    async def create(provider: Any) -> Any:
        return await provider.create_connection(ACME.organization_id, "Acme Okta", "okta")

    with pytest.raises(UnknownOutcome):
        ask(Script(OWN, ok(connection=connection())), create, MEMBER)


def test_those_who_come_together_ask_for_the_organization_once() -> None:
    script = Script(OWN, wrapped(oidc_connections=[]))

    async def many(provider: Any) -> None:
        await asyncio.gather(*(read(provider) for _ in range(10)))

    ask(script, many, MEMBER)
    assert script.paths.count("GET /sdk/v1/b2b/organizations/me") == 1


def test_a_session_that_moved_to_another_organization_is_noticed() -> None:
    script = Script(OWN, wrapped(organization=organization("beta")))

    async def refresh(provider: Any) -> None:
        await provider.find_organizations(["acme"])
        await provider.refresh_organization(ACME)

    with pytest.raises(RequestRejected, match="organization-test-beta"):
        ask(script, refresh, MEMBER)


def test_an_error_inside_of_the_wrapping_is_read_as_well() -> None:
    inner = {"error_type": "invalid_sso_idp", "error_message": "No such provider.", "request_id": "request-1"}
    with pytest.raises(RequestRejected, match="No such provider") as caught:
        ask(Script(httpx.Response(400, json={"data": inner})), read, MEMBER)
    assert caught.value.request_id == "request-1"
