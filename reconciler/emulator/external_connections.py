"""External connections: sign-in through the SAML or OIDC connection of another organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.connection_fields import check_known_keys
from reconciler.emulator.connections import (
    connections_of,
    find_connection,
    kind_of,
    save_stale_view,
    show_connection,
)
from reconciler.emulator.defaults import new_external_connection
from reconciler.emulator.errors import ApiError, JsonObject, SchemaViolation
from reconciler.emulator.organizations import lookup_organization

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.request import ApiCall

_ROLES = {
    "connection_implicit_role_assignments": "external_connection_implicit_role_assignments",
    "group_implicit_role_assignments": "external_group_implicit_role_assignments",
}
_CREATE_FIELDS = ("external_organization_id", "external_connection_id", "display_name", *_ROLES)
_UPDATE_FIELDS = ("display_name", *_ROLES.values())


async def create_external_connection(context: Context, call: ApiCall) -> JsonObject:
    """POST /v1/b2b/sso/external/{organization_id}: active at once."""
    check_known_keys(context, call.body, _CREATE_FIELDS)
    fields = _checked(call.body, _CREATE_FIELDS)
    with context.state.transaction():
        target = _target_connection(context, call, fields)
        connection = {
            **new_external_connection(context, call.organization_id),
            "external_organization_id": target["organization_id"],
            "external_connection_id": target["connection_id"],
            "display_name": fields.get("display_name", ""),
            **{stored: fields[sent] for sent, stored in _ROLES.items() if sent in fields},
        }
        save_stale_view(context, call.owner)
        context.state.put("connections", connection)
    return {"connection": show_connection(context, connection)}


async def update_external_connection(context: Context, call: ApiCall) -> JsonObject:
    """PUT …/external/{organization_id}/connections/{connection_id}: its name and role assignments."""
    check_known_keys(context, call.body, _UPDATE_FIELDS)
    fields = _checked(call.body, _UPDATE_FIELDS)
    connection_id = call.path_params["connection_id"]
    with context.state.transaction():
        connection = find_connection(context, call, connection_id, missing="sso_connection_not_found")
        if kind_of(connection_id) != "external":
            raise ApiError("external_connection_id_not_found")
        save_stale_view(context, call.owner)
        changed = {**connection, **fields}
        context.state.put("connections", changed)
    return {"connection": show_connection(context, changed)}


def _checked(body: JsonObject, names: tuple[str, ...]) -> JsonObject:
    fields = {name: body[name] for name in names if body.get(name) is not None}
    for name, value in fields.items():
        is_list = name.endswith("role_assignments")
        if not isinstance(value, list if is_list else str):
            raise SchemaViolation(name, "array" if is_list else "string")
    return fields


def _target_connection(context: Context, call: ApiCall, fields: JsonObject) -> JsonObject:
    """The connection that `fields` refer to; raises `ApiError` if it cannot be used."""
    reference, connection_id = fields.get("external_organization_id"), fields.get("external_connection_id")
    organization = lookup_organization(context, call.caller.project_id, reference) if reference else None
    if organization is None:
        raise ApiError("organization_not_found")
    if organization["organization_id"] == call.organization_id:
        raise ApiError("external_organization_id_same_as_organization_id")
    target = context.state.get("connections", connection_id) if connection_id else None
    if target is None or target["organization_id"] != organization["organization_id"]:
        raise ApiError("external_connection_id_not_found")
    if target["status"] != "active":
        raise ApiError("external_connection_not_active")
    existing = connections_of(context, call.organization_id)
    if any(connection.get("external_connection_id") == connection_id for connection in existing):
        raise ApiError("duplicate_external_sso_connection")
    return target
