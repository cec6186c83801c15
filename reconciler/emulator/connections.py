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
    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

_CREATE_FIELDS = ("display_name", "identity_provider")


async def list_connections(context: Context, call: Call) -> JsonObject:
    """GET /v1/b2b/sso/{organization_id}: all three kinds; no paging."""
    key = f"connections {call.organization_id}"
    stored = context.read_lag.read(key, lambda: connections_of(context, call.organization_id))
    shown = list(stored)
    if context.switches["list-order"] == "random":
        context.chance.shuffle(shown)
    lists: JsonObject = {}
    for kind in ("saml", "oidc", "external"):
        members = [show_connection(context, one) for one in shown if kind_of(one["connection_id"]) == kind]
        lists |= show_list(context, f"{kind}_connections", members)
    if context.switches["new-fields"] == "present":
        lists["emulated_new_connections"] = [{"connection_id": "emulated-new-connection-test-1"}]
    return lists


async def create_oidc_connection(context: Context, call: Call) -> JsonObject:
    """POST /v1/b2b/sso/oidc/{organization_id}: pending, with empty settings."""
    check_known_keys(context, call.body, _CREATE_FIELDS)
    fields = checked_fields(context, call.body, _CREATE_FIELDS)
    with context.state.transaction():
        _check_quota(context, call.organization_id)
        check_display_name_is_free(context, call.organization_id, fields.get("display_name"))
        connection = _fresh_connection(context, call, fields)
        remember_view(context, call.owner)
        context.state.put("connections", connection)
        adopt_default(context, connection, created=True)
        return {"connection": show_connection(context, connection)}


async def delete_connection(context: Context, call: Call) -> JsonObject:
    """DELETE of a connection of any kind."""
    connection_id = call.path["connection_id"]
    with context.state.transaction():
        connection = find_connection(context, call, connection_id, missing="sso_connection_not_found")
        remember_view(context, call.owner)
        release_connection(context, connection)
        context.state.delete("connections", connection_id)
        return {"connection_id": connection_id}


def connections_of(context: Context, organization_id: str) -> tuple[JsonObject, ...]:
    """Every connection of an organization as stored, in order of creation."""
    return tuple(context.state.where("connections", "organization_id", organization_id))


def kind_of(connection_id: str) -> str:
    """`oidc`, `saml` or `external`, by the id's prefix."""
    return connection_id.partition("-connection-")[0]


def find_connection(context: Context, call: Call, connection_id: str, *, missing: str) -> JsonObject:
    """The stored connection of the call's organization; `missing` is the error_type when there is none.

    Raises:
        ApiError: `missing` (or its counterpart under the switch `not-found-type`); for another organization's
            connection what `foreign-connection` says, and with a member session always 403.
    """
    connection = context.state.get("connections", connection_id)
    if connection is None:
        raise ApiError(_missing_type(context, missing))
    if connection["organization_id"] == call.organization_id:
        return connection
    if call.caller.member is not None:
        raise ApiError("session_authorization_error")
    if context.switches["foreign-connection"] == "mismatch":
        raise ApiError("sso_connection_organization_mismatch")
    raise ApiError(_missing_type(context, missing))


def check_display_name_is_free(
    context: Context, organization_id: str, display_name: object, *, except_for: str = ""
) -> None:
    """Under the switch `duplicate-display-name=rejected`: raise `ApiError` for a name already in use."""
    if context.switches["duplicate-display-name"] == "allowed" or not display_name:
        return
    for other in connections_of(context, organization_id):
        if other["display_name"] == display_name and other["connection_id"] != except_for:
            raise ApiError("invalid_display_name", "It is already in use.")


def remember_view(context: Context, organization: JsonObject) -> None:
    """Before a write: let the reads that lag behind see what is there now."""
    lag = context.switches["read-lag"]
    if lag == "none":
        return
    organization_id = organization["organization_id"]
    context.read_lag.remember(
        f"connections {organization_id}", connections_of(context, organization_id), int(lag)
    )
    remember_organization(context, show_organization(context, organization))


def _fresh_connection(context: Context, call: Call, fields: JsonObject) -> JsonObject:
    given = {name: value for name, value in fields.items() if value is not None}
    if not given.get("identity_provider"):
        given.pop("identity_provider", None)
    return {**blank_oidc_connection(context, call.organization_id), **given}


def _check_quota(context: Context, organization_id: str) -> None:
    count = len(connections_of(context, organization_id))
    limit, billed = context.settings.max_connections, context.settings.billing_connections
    if limit is not None and count >= limit:
        raise ApiError("too_many_sso_connections")
    if billed is not None and count >= billed:
        raise ApiError("too_many_sso_connections_for_billing_tier")


def _missing_type(context: Context, by_operation: str) -> str:
    if context.switches["not-found-type"] == "by-operation":
        return by_operation
    swapped = {
        "sso_connection_not_found": "oidc_connection_not_found",
        "oidc_connection_not_found": "sso_connection_not_found",
    }
    return swapped[by_operation]
