"""Updating an OIDC connection: what a PUT changes, what discovery adds, and what status comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.connection_defaults import adopt_default
from reconciler.emulator.connection_fields import (
    UPDATE_FIELDS,
    URL_FIELDS,
    check_known_keys,
    checked_fields,
)
from reconciler.emulator.connections import (
    check_display_name_is_free,
    find_connection,
    kind_of,
    remember_view,
)
from reconciler.emulator.discovery import ENDPOINTS, DiscoveryFailure, discover
from reconciler.emulator.errors import CATALOGUE, ApiError
from reconciler.emulator.presentation import show_connection

if TYPE_CHECKING:
    from reconciler.emulator.calls import Call
    from reconciler.emulator.discovery import Discovery
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.world import World

_MISSING = "oidc_connection_not_found"
_NEEDED = ("issuer", "client_id", "client_secret", *URL_FIELDS)


async def update_oidc_connection(world: World, call: Call) -> JsonObject:
    """PUT …/connections/{connection_id}: partial; a new issuer is looked up before anything is stored."""
    connection_id = call.path["connection_id"]
    _check_kind(world, connection_id)
    found = find_connection(world, call, connection_id, missing=_MISSING)
    check_known_keys(world, call.body, UPDATE_FIELDS)
    fields = checked_fields(world, _without_empties(world, call.body), UPDATE_FIELDS)
    discovery = await _discover(world, call, found, fields)
    with world.state.transaction():
        # the lookup took time: the connection may have changed or gone meanwhile
        found = find_connection(world, call, connection_id, missing=_MISSING)
        check_display_name_is_free(
            world, call.organization_id, fields.get("display_name"), except_for=connection_id
        )
        remember_view(world, call.owner)
        changed = _changed(world, found, fields, discovery)
        world.state.put("connections", changed)
        adopt_default(world, changed)
    answer: JsonObject = {"connection": show_connection(world, changed)}
    return {**answer, "warning": discovery.reason} if isinstance(discovery, DiscoveryFailure) else answer


def status_of(world: World, connection: JsonObject) -> str:
    """`active` once every needed field is there; the switch `userinfo-url` says whether that one counts."""
    optional = {"userinfo_url"} if world.behaviours["userinfo-url"] == "optional" else set()
    complete = all(connection.get(name) for name in _NEEDED if name not in optional)
    return "active" if complete else "pending"


def _check_kind(world: World, connection_id: str) -> None:
    if kind_of(connection_id) in {"saml", "external"}:
        refused = world.behaviours["other-type"] == "rejected"
        raise ApiError("bad_request", "Not an OIDC connection.") if refused else ApiError(_MISSING)


def _without_empties(world: World, body: JsonObject) -> JsonObject:
    meant = {}
    for name, value in body.items():
        if name not in UPDATE_FIELDS or value not in (None, ""):
            meant[name] = value
            continue
        rule = world.behaviours["null-value" if value is None else "empty-string"]
        if rule == "rejected":
            raise _required(name)
        if rule == "clears":
            meant[name] = value
    return meant


def _required(name: str) -> ApiError:
    if name == "display_name":
        return ApiError("invalid_display_name")
    error_type = f"oidc_connection_{name}_required"
    return ApiError(error_type) if error_type in CATALOGUE else ApiError("bad_request", f"{name} is empty.")


async def _discover(world: World, call: Call, found: JsonObject, fields: JsonObject) -> Discovery | None:
    issuer = fields.get("issuer")
    changes = issuer != found["issuer"] or world.behaviours["equal-issuer"] == "fetched"
    return await discover(world, issuer, call.base_url) if issuer and changes else None


def _changed(world: World, found: JsonObject, fields: JsonObject, discovery: Discovery | None) -> JsonObject:
    changed = {**found, **_inferred(world, discovery)}
    for name, value in fields.items():
        if name == "attribute_mapping":
            changed = _with_mapping(world, changed, value)
        elif name == "identity_provider":
            changed[name] = value or "generic"
        else:
            changed[name] = value or ""
    if not _keeps_status(world, found, discovery):
        changed["status"] = status_of(world, changed)
    return changed


def _inferred(world: World, discovery: Discovery | None) -> JsonObject:
    if discovery is None:
        return {}
    if isinstance(discovery, DiscoveryFailure):
        return {} if world.behaviours["failed-discovery"] == "keeps" else dict.fromkeys(URL_FIELDS, "")
    found = {field: discovery.document.get(endpoint) for endpoint, field in ENDPOINTS.items()}
    inferred = {field: value for field, value in found.items() if isinstance(value, str) and value}
    return (
        {**dict.fromkeys(URL_FIELDS, ""), **inferred}
        if world.behaviours["missing-endpoint"] == "clears"
        else inferred
    )


def _with_mapping(world: World, connection: JsonObject, mapping: JsonObject | None) -> JsonObject:
    rule = world.behaviours["attribute-mapping"]
    if mapping == {} and rule in {"empty-ignored", "merges"}:
        return connection
    stored = connection.get("attribute_mapping") or {}
    merged = {**stored, **mapping} if mapping and rule == "merges" else mapping
    rest = {name: value for name, value in connection.items() if name != "attribute_mapping"}
    return {**rest, "attribute_mapping": merged} if merged else rest


def _keeps_status(world: World, found: JsonObject, discovery: Discovery | None) -> bool:
    if found["status"] != "active":
        return False
    cleared = isinstance(discovery, DiscoveryFailure) and (
        world.behaviours["failed-discovery"] == "clears-stays-active"
    )
    return cleared or world.behaviours["emptied-field"] == "stays-active"
