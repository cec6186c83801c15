"""The emulator as a Python object, as tests of the product use it."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.emulator import (
    DEFAULT_PROJECT_ID,
    DEFAULT_SECRET,
    ConnectionLostError,
    Effect,
    Emulator,
    Fault,
    First,
)

if TYPE_CHECKING:
    from tests.emulator.calls import Api


def test_a_block_closes_it() -> None:
    with Emulator() as emulator:
        emulator.add_organization("acme")
    with pytest.raises(sqlite3.ProgrammingError):
        emulator.organization("acme")


def test_unknown_objects_are_key_errors(emulator: Emulator) -> None:
    for missing in (
        lambda: emulator.organization("nobody"),
        lambda: emulator.connections("nobody"),
        lambda: emulator.connection("oidc-connection-test-nope"),
        lambda: emulator.edit_connection("oidc-connection-test-nope", client_id="x"),
        lambda: emulator.remove_connection("oidc-connection-test-nope"),
        lambda: emulator.remove_fault("fault-7"),
    ):
        with pytest.raises(KeyError):
            missing()


def test_two_organizations_cannot_share_a_slug(emulator: Emulator) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        emulator.add_organization("acme")


def test_a_connection_can_have_invalid_fields(emulator: Emulator, api: Api) -> None:
    connection_id = emulator.add_connection("acme", status="active", surprise=[1])["connection_id"]
    assert emulator.connection(connection_id)["issuer"] == ""
    (connection,) = api("GET", "/v1/b2b/sso/acme").json()["oidc_connections"]
    assert (connection["status"], connection["surprise"]) == ("active", [1])


def test_editing_and_removing_without_the_api(emulator: Emulator, api: Api) -> None:
    connection = emulator.add_connection("acme", status="active", client_id="old")
    connection_id = connection["connection_id"]
    edited = emulator.edit_connection(connection_id, client_id="new")
    assert edited == {**connection, "client_id": "new"}
    assert api("GET", "/v1/b2b/sso/acme").json()["oidc_connections"] == [edited]
    emulator.remove_connection(connection_id)
    assert emulator.connections("acme") == ()
    assert emulator.organization("acme")["sso_default_connection_id"] is None
    assert emulator.request_log.writes == ()


def test_a_fault_may_be_given_as_a_value(emulator: Emulator, api: Api) -> None:
    emulator.add_fault(Fault(Effect.ERROR, ("reads",), First(1), error_type="server_unavailable"))
    assert [api("GET", "/v1/b2b/sso/acme").status_code for _ in range(2)] == [503, 200]
    assert emulator.request_log.entries[0].faults == ("error",)


def test_any_asgi_client_works(emulator: Emulator) -> None:
    """Without the emulator's own transport a broken connection is a documented exception."""
    emulator.add_fault("list-connections:reset")

    async def request() -> None:
        transport = httpx.ASGITransport(emulator.application)
        auth = (DEFAULT_PROJECT_ID, DEFAULT_SECRET)
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator", auth=auth) as client:
            await client.get("/v1/b2b/sso/acme")

    with pytest.raises(ConnectionLostError):
        asyncio.run(request())


def test_servers_that_speak_lifespan_are_answered(emulator: Emulator) -> None:
    asked = iter(["lifespan.startup", "lifespan.shutdown"])
    types: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": next(asked)}

    async def send(message: Any) -> None:
        types.append(message["type"])

    asyncio.run(emulator.application({"type": "lifespan"}, receive, send))
    assert types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_head_is_answered_like_get(emulator: Emulator, api: Api) -> None:
    emulator.add_identity_provider("acme")
    assert api("HEAD", "/idp/acme/.well-known/openid-configuration").status_code == 200
    assert api("HEAD", "/v1/b2b/sso/acme", auth=None).status_code == 401


def test_one_emulator_serves_several_event_loops(emulator: Emulator, api: Api) -> None:
    assert [api("GET", "/v1/b2b/sso/acme").status_code for _ in range(3)] == [200, 200, 200]
    assert [entry.number for entry in emulator.request_log] == [1, 2, 3]
