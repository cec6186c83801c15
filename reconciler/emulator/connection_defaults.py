"""What else changes when a connection becomes active or goes: default, JIT list, External references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.errors import ApiError

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

_JIT_LIST = "sso_jit_provisioning_allowed_connections"


def adopt_default(context: Context, connection: JsonObject, *, created: bool = False) -> None:
    """Make `connection` the default if there is none and the switch `default-connection` says so."""
    moment = context.switches["default-connection"]
    due = (moment == "first-created" and created) or (
        moment == "first-active" and connection["status"] == "active" and not _is_external(connection)
    )
    organization = context.state.get("organizations", connection["organization_id"])
    if due and organization is not None and not organization.get("sso_default_connection_id"):
        organization["sso_default_connection_id"] = connection["connection_id"]
        context.state.put("organizations", organization)


def release_connection(context: Context, connection: JsonObject) -> None:
    """Loosen everything that holds on to `connection`, before it is deleted.

    Raises:
        ApiError: 400, where a switch refuses the deletion.
    """
    organization = context.state.get("organizations", connection["organization_id"])
    assert organization is not None
    _release_default(context, organization, connection)
    _release_jit_list(context, organization, connection)
    context.state.put("organizations", organization)
    _release_references(context, connection)


def _release_default(context: Context, organization: JsonObject, connection: JsonObject) -> None:
    if organization.get("sso_default_connection_id") != connection["connection_id"]:
        return
    others = [
        other
        for other in context.state.where("connections", "organization_id", organization["organization_id"])
        if other["connection_id"] != connection["connection_id"] and not _is_external(other)
    ]
    rule = context.switches["delete-default"]
    if others and rule == "rejected":
        raise ApiError("cannot_delete_default_sso_connection")
    active = [other["connection_id"] for other in others if other["status"] == "active"]
    organization["sso_default_connection_id"] = active[0] if active and rule == "reassigns" else None


def _release_jit_list(context: Context, organization: JsonObject, connection: JsonObject) -> None:
    allowed = organization.get(_JIT_LIST) or []
    if connection["connection_id"] not in allowed:
        return
    rule = context.switches["jit-list"]
    if rule == "rejected":
        raise ApiError("invalid_restricted_sso_setting", "JIT provisioning still names the connection.")
    if rule == "pruned":
        organization[_JIT_LIST] = [one for one in allowed if one != connection["connection_id"]]


def _release_references(context: Context, connection: JsonObject) -> None:
    rule = context.switches["external-references"]
    if rule == "dangling":
        return
    for reference in _references(context, connection["connection_id"]):
        if rule == "rejected":
            raise ApiError("bad_request", "An External connection still points at the connection.")
        context.state.delete("connections", reference)


def _references(context: Context, connection_id: str) -> list[str]:
    statement = (
        "SELECT connection_id FROM connections WHERE json_extract(document, '$.external_connection_id') = ?"
    )
    return [str(row[0]) for row in context.state.rows(statement, (connection_id,))]


def _is_external(connection: JsonObject) -> bool:
    return str(connection["connection_id"]).startswith("external-connection-")
