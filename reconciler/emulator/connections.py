"""Listing, creating and deleting the SSO connections of an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.blanks import blank_oidc_connection
from reconciler.emulator.connection_defaults import adopt_default, release_connection
from reconciler.emulator.connection_fields import check_known_keys, checked_fields
from reconciler.emulator.errors import ApiError
from reconciler.emulator.organizations import remember_organization, show_organization
from reconciler.emulator.presentation import show_connection, show_list

if TYPE_CHECKING:
    from reconciler.emulator.calls import Call
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.world import World

_CREATE_FIELDS = ("display_name", "identity_provider")


async def list_connections(world: World, call: Call) -> JsonObject:
    """GET /v1/b2b/sso/{organization_id}: all three kinds; no paging."""
    key = f"connections {call.organization_id}"
    stored = world.read_lag.read(key, lambda: connections_of(world, call.organization_id))
    shown = list(stored)
    if world.behaviours["list-order"] == "random":
        world.chance.shuffle(shown)
    lists: JsonObject = {}
    for kind in ("saml", "oidc", "external"):
        members = [show_connection(world, one) for one in shown if kind_of(one["connection_id"]) == kind]
        lists |= show_list(world, f"{kind}_connections", members)
    if world.behaviours["new-fields"] == "present":
        lists["emulated_new_connections"] = [{"connection_id": "emulated-new-connection-test-1"}]
    return lists


async def create_oidc_connection(world: World, call: Call) -> JsonObject:
    """POST /v1/b2b/sso/oidc/{organization_id}: pending, with empty settings."""
    check_known_keys(world, call.body, _CREATE_FIELDS)
    fields = checked_fields(world, call.body, _CREATE_FIELDS)
    with world.state.transaction():
        _check_quota(world, call.organization_id)
        check_display_name_is_free(world, call.organization_id, fields.get("display_name"))
        connection = _fresh_connection(world, call, fields)
        remember_view(world, call.owner)
        world.state.put("connections", connection)
        adopt_default(world, connection, created=True)
        return {"connection": show_connection(world, connection)}


async def delete_connection(world: World, call: Call) -> JsonObject:
    """DELETE of a connection of any kind."""
    connection_id = call.path["connection_id"]
    with world.state.transaction():
        connection = find_connection(world, call, connection_id, missing="sso_connection_not_found")
        remember_view(world, call.owner)
        release_connection(world, connection)
        world.state.delete("connections", connection_id)
        return {"connection_id": connection_id}


def connections_of(world: World, organization_id: str) -> tuple[JsonObject, ...]:
    """Every connection of an organization as stored, in order of creation."""
    return tuple(world.state.where("connections", "organization_id", organization_id))


def kind_of(connection_id: str) -> str:
    """`oidc`, `saml` or `external`, by the id's prefix."""
    return connection_id.partition("-connection-")[0]


def find_connection(world: World, call: Call, connection_id: str, *, missing: str) -> JsonObject:
    """The stored connection of the call's organization; `missing` is the error_type when there is none.

    Raises:
        ApiError: `missing` (or its counterpart under the switch `not-found-type`); for another organization's
            connection what `foreign-connection` says, and with a member session always 403.
    """
    connection = world.state.get("connections", connection_id)
    if connection is None:
        raise ApiError(_missing_type(world, missing))
    if connection["organization_id"] == call.organization_id:
        return connection
    if call.caller.member is not None:
        raise ApiError("session_authorization_error")
    if world.behaviours["foreign-connection"] == "mismatch":
        raise ApiError("sso_connection_organization_mismatch")
    raise ApiError(_missing_type(world, missing))


def check_display_name_is_free(
    world: World, organization_id: str, display_name: object, *, except_for: str = ""
) -> None:
    """Under the switch `duplicate-display-name=rejected`: raise `ApiError` for a name already in use."""
    if world.behaviours["duplicate-display-name"] == "allowed" or not display_name:
        return
    for other in connections_of(world, organization_id):
        if other["display_name"] == display_name and other["connection_id"] != except_for:
            raise ApiError("invalid_display_name", "It is already in use.")


def remember_view(world: World, organization: JsonObject) -> None:
    """Before a write: let the reads that lag behind see what is there now."""
    lag = world.behaviours["read-lag"]
    if lag == "none":
        return
    organization_id = organization["organization_id"]
    world.read_lag.remember(
        f"connections {organization_id}", connections_of(world, organization_id), int(lag)
    )
    remember_organization(world, show_organization(world, organization))


def _fresh_connection(world: World, call: Call, fields: JsonObject) -> JsonObject:
    given = {name: value for name, value in fields.items() if value is not None}
    if not given.get("identity_provider"):
        given.pop("identity_provider", None)
    return {**blank_oidc_connection(world, call.organization_id), **given}


def _check_quota(world: World, organization_id: str) -> None:
    count = len(connections_of(world, organization_id))
    limit, billed = world.settings.max_connections, world.settings.billing_connections
    if limit is not None and count >= limit:
        raise ApiError("too_many_sso_connections")
    if billed is not None and count >= billed:
        raise ApiError("too_many_sso_connections_for_billing_tier")


def _missing_type(world: World, by_operation: str) -> str:
    if world.behaviours["not-found-type"] == "by-operation":
        return by_operation
    swapped = {
        "sso_connection_not_found": "oidc_connection_not_found",
        "oidc_connection_not_found": "sso_connection_not_found",
    }
    return swapped[by_operation]
