"""Organizations: look-up by id, slug or external id, get, and update of SSO settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reconciler.emulator.access import authorize_settings
from reconciler.emulator.errors import ApiError, JsonObject, SchemaViolation, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.emulator.context import Context
    from reconciler.emulator.request import ApiCall

_NAME = re.compile(r"[A-Za-z0-9._~|-]{1,128}")
_SETTINGS: dict[str, type] = {
    "organization_name": str,
    "organization_slug": str,
    "organization_external_id": str,
    "sso_default_connection_id": str,
    "sso_jit_provisioning": str,
    "sso_jit_provisioning_allowed_connections": list,
    "auth_methods": str,
    "allowed_auth_methods": list,
    "email_allowed_domains": list,
}
_CHOICES = {
    "sso_jit_provisioning": ("ALL_ALLOWED", "RESTRICTED", "NOT_ALLOWED"),
    "auth_methods": ("ALL_ALLOWED", "RESTRICTED"),
}
_ACTIONS = {
    "sso_default_connection_id": "update.settings.default-sso-connection",
    "sso_jit_provisioning": "update.settings.sso-jit-provisioning",
    "sso_jit_provisioning_allowed_connections": "update.settings.sso-jit-provisioning",
}
_INTERNAL = ("project_id", "suspended")


async def get_organization(context: Context, call: ApiCall) -> JsonObject:
    """GET /v1/b2b/organizations/{organization_id}."""
    key = f"organization {call.organization_id}"
    return {"organization": context.read_lag.read(key, lambda: show_organization(context, call.owner))}


async def update_organization(context: Context, call: ApiCall) -> JsonObject:
    """PUT /v1/b2b/organizations/{organization_id}: partial; lists are replaced whole."""
    changes = _checked_changes(call.body)
    authorize_settings(call.caller, {_ACTIONS.get(name, "update.info") for name in changes})
    with context.state.transaction():
        before = show_organization(context, call.owner)
        changed = {**call.owner, **changes}
        _check_settings(context, changed, changes)
        context.state.put("organizations", changed)
        save_stale_organization(context, before)
        return {"organization": show_organization(context, changed)}


def find_organization(context: Context, project_id: str, reference: str) -> JsonObject:
    """The organization of the project whose id, slug or external id is `reference`, in this order.

    Raises:
        ApiError: 400 for a malformed reference, 404 for an unknown and 403 for a suspended organization.
    """
    if not _NAME.fullmatch(reference):
        raise ApiError("invalid_organization_id")
    organization = lookup_organization(context, project_id, reference)
    if organization is None:
        raise ApiError("organization_not_found")
    if organization.get("suspended"):
        raise ApiError("organization_suspended")
    return organization


def lookup_organization(context: Context, project_id: str, reference: str) -> JsonObject | None:
    """As `find_organization`, but None if there is none."""
    for column in ("organization_id", "slug", "external_id"):
        for organization in context.state.where("organizations", column, reference):
            if organization["project_id"] == project_id:
                return organization
    return None


def show_organization(context: Context, organization: JsonObject) -> JsonObject:
    """The organization as the API returns it."""
    connections = context.state.where("connections", "organization_id", organization["organization_id"])
    return with_active_connections(organization, connections)


def with_active_connections(organization: JsonObject, connections: Iterable[JsonObject]) -> JsonObject:
    """The organization as returned, with its active `connections`; External ones included [assumed]."""
    returned = {name: value for name, value in organization.items() if name not in _INTERNAL}
    returned["sso_active_connections"] = [
        {
            "connection_id": connection["connection_id"],
            "display_name": connection["display_name"],
            "identity_provider": connection.get("identity_provider", ""),
        }
        for connection in connections
        if connection["status"] == "active"
    ]
    return returned


def save_stale_organization(context: Context, before: JsonObject) -> None:
    """Keep the organization as it was `before` a write, for reads that lag behind."""
    lag = context.switches["read-lag"]
    if lag != "none":
        context.read_lag.remember(f"organization {before['organization_id']}", before, int(lag))


def _checked_changes(body: JsonObject) -> JsonObject:
    changes: JsonObject = {}
    for name, kind in _SETTINGS.items():
        value = body.get(name)
        if value is None:
            continue
        changes[name] = typed(name, value, kind)
        if kind is list and not all(isinstance(item, str) for item in value):
            raise SchemaViolation(name, "array")
    return changes


def _check_settings(context: Context, changed: JsonObject, changes: JsonObject) -> None:
    for name, choices in _CHOICES.items():
        if changes.get(name, choices[0]) not in choices:
            raise ApiError("bad_request", f"{name} must be one of {', '.join(choices)}.")
    _check_names(context, changed, changes)
    if "sso_default_connection_id" in changes:
        connection = _own_connection(context, changed, changes["sso_default_connection_id"])
        if connection is None or connection["status"] != "active":
            raise ApiError("invalid_sso_default_connection_id")
    if set(changes) & {"sso_jit_provisioning", "sso_jit_provisioning_allowed_connections"}:
        _check_provisioning(context, changed)


def _check_names(context: Context, changed: JsonObject, changes: JsonObject) -> None:
    for name in ("organization_slug", "organization_external_id"):
        if name not in changes:
            continue
        if not _NAME.fullmatch(changes[name]):
            raise ApiError("bad_request", f"{name} is malformed.")
        column = name.removeprefix("organization_")
        for organization in context.state.where("organizations", column, changes[name]):
            same_project = organization["project_id"] == changed["project_id"]
            if same_project and organization["organization_id"] != changed["organization_id"]:
                raise ApiError(f"{name}_already_used")


def _check_provisioning(context: Context, organization: JsonObject) -> None:
    allowed: list[Any] = organization.get("sso_jit_provisioning_allowed_connections", [])
    if organization.get("sso_jit_provisioning") == "RESTRICTED" and not allowed:
        raise ApiError("invalid_restricted_sso_setting")
    if any(_own_connection(context, organization, connection_id) is None for connection_id in allowed):
        raise ApiError("sso_connection_not_found")


def _own_connection(context: Context, organization: JsonObject, connection_id: str) -> JsonObject | None:
    connection = context.state.get("connections", connection_id)
    owned = connection is not None and connection["organization_id"] == organization["organization_id"]
    return connection if owned else None
