"""Creating and updating External connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.emulator import DEFAULT_PUBLIC_TOKEN
from tests.emulator.calls import error

if TYPE_CHECKING:
    from reconciler.emulator import Emulator
    from tests.emulator.calls import Api

CREATE = "/v1/b2b/sso/external/acme"
ROLES = [{"role_id": "editor"}]


@pytest.fixture
def target(emulator: Emulator) -> dict[str, Any]:
    """An active connection of another organization, as a request body."""
    emulator.add_organization("parent")
    connection = emulator.add_connection("parent", status="active", display_name="Parent's")
    return {"external_organization_id": "parent", "external_connection_id": connection["connection_id"]}


def test_it_is_active_at_once_and_refers_to_the_other_connection(
    api: Api, emulator: Emulator, target: dict[str, Any]
) -> None:
    body = {**target, "display_name": "Shared", "connection_implicit_role_assignments": ROLES}
    connection = api("POST", CREATE, json=body).json()["connection"]
    assert connection["connection_id"].startswith("external-connection-test-")
    assert connection["status"] == "active"
    assert connection["display_name"] == "Shared"
    assert connection["external_organization_id"] == emulator.organization("parent")["organization_id"]
    assert connection["external_connection_id"] == target["external_connection_id"]
    assert connection["external_connection_implicit_role_assignments"] == ROLES
    assert api("GET", "/v1/b2b/sso/acme").json()["external_connections"] == [connection]


def test_its_name_and_roles_can_change(api: Api, target: dict[str, Any]) -> None:
    before = api("POST", CREATE, json=target).json()["connection"]
    path = f"{CREATE}/connections/{before['connection_id']}"
    changes = {"display_name": "New", "external_group_implicit_role_assignments": ROLES}
    assert api("PUT", path, json=changes).json()["connection"] == {**before, **changes}


def test_a_member_creates_it_on_the_frontend(api: Api, emulator: Emulator, target: dict[str, Any]) -> None:
    auth = (DEFAULT_PUBLIC_TOKEN, emulator.add_session("acme", "stytch_admin")["session_token"])
    made = api("POST", "/sdk/v1/b2b/sso/external", json=target, auth=auth).json()["data"]["connection"]
    path = f"/sdk/v1/b2b/sso/external/{made['connection_id']}"
    changed = api("PUT", path, json={"display_name": "New"}, auth=auth).json()["data"]["connection"]
    assert changed == {**made, "display_name": "New"}


def test_a_second_external_connection_to_the_same_connection_is_refused(
    api: Api, target: dict[str, Any]
) -> None:
    assert api("POST", CREATE, json=target).status_code == 200
    assert error(api("POST", CREATE, json=target)) == (400, "duplicate_external_sso_connection")


def test_a_pending_connection_cannot_be_shared(api: Api, emulator: Emulator, target: dict[str, Any]) -> None:
    emulator.edit_connection(target["external_connection_id"], status="pending")
    assert error(api("POST", CREATE, json=target)) == (400, "external_connection_not_active")


@pytest.mark.parametrize(
    ("changes", "status", "error_type"),
    [
        ({"external_organization_id": "acme"}, 400, "external_organization_id_same_as_organization_id"),
        ({"external_organization_id": "nobody"}, 404, "organization_not_found"),
        ({"external_organization_id": None}, 404, "organization_not_found"),
        ({"external_connection_id": "oidc-connection-test-nope"}, 400, "external_connection_id_not_found"),
        ({"external_connection_id": 7}, 400, "bad_request"),
        ({"group_implicit_role_assignments": "editor"}, 400, "bad_request"),
    ],
)
def test_refusals(
    api: Api,
    emulator: Emulator,
    target: dict[str, Any],
    *,
    changes: dict[str, Any],
    status: int,
    error_type: str,
) -> None:
    assert error(api("POST", CREATE, json={**target, **changes})) == (status, error_type)
    assert emulator.connections("acme") == ()


def test_only_external_connections_are_updated_here(api: Api, emulator: Emulator) -> None:
    oidc = emulator.add_connection("acme")
    path = f"{CREATE}/connections/{oidc['connection_id']}"
    response = api("PUT", path, json={"display_name": "New"})
    assert error(response) == (400, "external_connection_id_not_found")
    assert emulator.connection(oidc["connection_id"]) == oidc
