"""Updates an OIDC connection: the fields of the PUT, the discovered URLs, and the resulting status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.connection_fields import UPDATE_FIELDS, URL_FIELDS, check_known_keys, checked_fields
from reconciler.emulator.connections import (
    adopt_default,
    check_display_name_is_free,
    find_connection,
    kind_of,
    save_stale_view,
    show_connection,
)
from reconciler.emulator.discovery import ENDPOINTS, DiscoveryFailure, discover
from reconciler.emulator.errors import CATALOGUE, ApiError

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.discovery import Discovery
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import ApiCall

_MISSING = "oidc_connection_not_found"
_REQUIRED = ("issuer", "client_id", "client_secret", *URL_FIELDS)


async def update_oidc_connection(context: Context, call: ApiCall) -> JsonObject:
    """PUT …/connections/{connection_id}: partial; a new issuer is discovered before anything is stored."""
    connection_id = call.path_params["connection_id"]
    _check_kind(context, connection_id)
    connection = find_connection(context, call, connection_id, missing=_MISSING)
    check_known_keys(context, call.body, UPDATE_FIELDS)
    fields = checked_fields(context, _without_empties(context, call.body), UPDATE_FIELDS)
    discovery = await _discover(context, call, connection, fields)
    with context.state.transaction():
        # the connection may have been changed or deleted during discovery
        connection = find_connection(context, call, connection_id, missing=_MISSING)
        check_display_name_is_free(
            context, call.organization_id, fields.get("display_name"), except_for=connection_id
        )
        save_stale_view(context, call.owner)
        changed = _changed(context, connection, fields, discovery)
        context.state.put("connections", changed)
        adopt_default(context, changed)
    payload: JsonObject = {"connection": show_connection(context, changed)}
    return {**payload, "warning": discovery.reason} if isinstance(discovery, DiscoveryFailure) else payload


def status_of(context: Context, connection: JsonObject) -> str:
    """`active` if no field is missing."""
    return "pending" if missing_field(context, connection) else "active"


def missing_field(context: Context, connection: JsonObject) -> str | None:
    """A required field without a value; the switch `userinfo-url` makes that one optional."""
    optional = {"userinfo_url"} if context.switches["userinfo-url"] == "optional" else set()
    return next((name for name in _REQUIRED if name not in optional and not connection.get(name)), None)


def _check_kind(context: Context, connection_id: str) -> None:
    if kind_of(connection_id) in {"saml", "external"}:
        rejected = context.switches["other-type"] == "rejected"
        raise ApiError("bad_request", "Not an OIDC connection.") if rejected else ApiError(_MISSING)


def _without_empties(context: Context, body: JsonObject) -> JsonObject:
    fields = {}
    for name, value in body.items():
        if name not in UPDATE_FIELDS or value not in (None, ""):
            fields[name] = value
            continue
        rule = context.switches["null-value" if value is None else "empty-string"]
        if rule == "rejected":
            raise _missing_error(name)
        if rule == "clears":
            fields[name] = value
    return fields


def _missing_error(name: str) -> ApiError:
    if name == "display_name":
        return ApiError("invalid_display_name")
    error_type = f"oidc_connection_{name}_required"
    return ApiError(error_type) if error_type in CATALOGUE else ApiError("bad_request", f"{name} is empty.")


async def _discover(
    context: Context, call: ApiCall, connection: JsonObject, fields: JsonObject
) -> Discovery | None:
    issuer = fields.get("issuer")
    changes = issuer != connection["issuer"] or context.switches["equal-issuer"] == "fetched"
    return await discover(context, issuer, call.base_url) if issuer and changes else None


def _changed(
    context: Context, connection: JsonObject, fields: JsonObject, discovery: Discovery | None
) -> JsonObject:
    changed = {**connection, **_discovered_urls(context, discovery)}
    for name, value in fields.items():
        if name == "attribute_mapping":
            changed = _with_mapping(context, changed, value)
        elif name == "identity_provider":
            changed[name] = value or "generic"
        else:
            changed[name] = value or ""
    if not _keeps_status(context, connection, discovery):
        changed["status"] = status_of(context, changed)
    return changed


def _discovered_urls(context: Context, discovery: Discovery | None) -> JsonObject:
    if discovery is None:
        return {}
    if isinstance(discovery, DiscoveryFailure):
        return {} if context.switches["failed-discovery"] == "keeps" else dict.fromkeys(URL_FIELDS, "")
    values = {field: discovery.get(endpoint) for endpoint, field in ENDPOINTS.items()}
    urls = {field: value for field, value in values.items() if isinstance(value, str) and value}
    cleared = URL_FIELDS if context.switches["missing-endpoint"] == "clears" else ()
    return {**dict.fromkeys(cleared, ""), **urls}


def _with_mapping(context: Context, connection: JsonObject, mapping: JsonObject | None) -> JsonObject:
    rule = context.switches["attribute-mapping"]
    if mapping == {} and rule in {"empty-ignored", "merges"}:
        return connection
    stored = connection.get("attribute_mapping") or {}
    merged = {**stored, **mapping} if mapping and rule == "merges" else mapping
    rest = {name: value for name, value in connection.items() if name != "attribute_mapping"}
    return {**rest, "attribute_mapping": merged} if merged else rest


def _keeps_status(context: Context, connection: JsonObject, discovery: Discovery | None) -> bool:
    if connection["status"] != "active":
        return False
    cleared = isinstance(discovery, DiscoveryFailure) and (
        context.switches["failed-discovery"] == "clears-stays-active"
    )
    return cleared or context.switches["emptied-field"] == "stays-active"
