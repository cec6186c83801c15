"""SSO connections: list, create and delete, their form in responses, and references to them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.emulator.connection_fields import check_known_keys, checked_fields
from reconciler.emulator.defaults import new_connection
from reconciler.emulator.errors import ApiError, JsonObject, typed
from reconciler.emulator.organizations import lookup_organization, save_stale_organization, show_organization

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.request import ApiCall


_JIT_LIST = "sso_jit_provisioning_allowed_connections"
_VISIBLE_CHARACTERS = 4
_SWAPPED = {
    "sso_connection_not_found": "oidc_connection_not_found",
    "oidc_connection_not_found": "sso_connection_not_found",
}
_CREATE_FIELDS = ("display_name", "identity_provider")


async def list_connections(context: Context, call: ApiCall) -> JsonObject:
    """GET /v1/b2b/sso/{organization_id}: all three kinds, without paging."""
    key = f"connections {call.organization_id}"
    stored = context.read_lag.read(key, lambda: connections_of(context, call.organization_id))
    connections = list(stored)
    if context.switches["list-order"] == "random":
        context.chance.shuffle(connections)
    lists: JsonObject = {}
    for kind in ("saml", "oidc", "external"):
        of_kind = [entry for entry in connections if kind_of(entry["connection_id"]) == kind]
        entries = [show_connection(context, connection) for connection in of_kind]
        lists |= _show_list(context, f"{kind}_connections", entries)
    if context.switches["new-fields"] == "present":
        lists["emulated_new_connections"] = [{"connection_id": "emulated-new-connection-test-1"}]
    return lists


async def create_oidc_connection(context: Context, call: ApiCall) -> JsonObject:
    """POST /v1/b2b/sso/oidc/{organization_id}: pending, with empty settings."""
    check_known_keys(context, call.body, _CREATE_FIELDS)
    fields = checked_fields(context, call.body, _CREATE_FIELDS)
    with context.state.transaction():
        _check_quota(context, call.organization_id)
        check_display_name_is_free(context, call.organization_id, fields.get("display_name"))
        connection = _new_connection(context, call, fields)
        save_stale_view(context, call.owner)
        context.state.put("connections", connection)
        adopt_default(context, connection, created=True)
        return {"connection": show_connection(context, connection)}


async def delete_connection(context: Context, call: ApiCall) -> JsonObject:
    """DELETE …/connections/{connection_id}: a connection of any kind."""
    connection_id = call.path_params["connection_id"]
    with context.state.transaction():
        connection = find_connection(context, call, connection_id, missing="sso_connection_not_found")
        save_stale_view(context, call.owner)
        remove_references(context, connection)
        context.state.delete("connections", connection_id)
        return {"connection_id": connection_id}


def connections_of(context: Context, organization_id: str) -> tuple[JsonObject, ...]:
    """Every connection of an organization as stored, in order of creation."""
    return tuple(context.state.where("connections", "organization_id", organization_id))


def kind_of(connection_id: str) -> str:
    """`oidc`, `saml` or `external` by the prefix of the id."""
    return connection_id.partition("-connection-")[0]


def find_connection(context: Context, call: ApiCall, connection_id: str, *, missing: str) -> JsonObject:
    """The stored connection of the call's organization; `missing` is the error_type if there is none.

    Raises:
        ApiError: `missing`, or its counterpart under the switch `not-found-type`; for a connection of another
            organization the switch `foreign-connection` decides, and a member session always gets 403.
    """
    connection = context.state.get("connections", connection_id)
    if connection is not None:
        if connection["organization_id"] == call.organization_id:
            return connection
        if call.caller.member is not None:
            raise ApiError("session_authorization_error")
        if context.switches["foreign-connection"] == "mismatch":
            raise ApiError("sso_connection_organization_mismatch")
    if context.switches["not-found-type"] == "swapped":
        missing = _SWAPPED[missing]
    raise ApiError(missing)


def check_display_name_is_free(
    context: Context, organization_id: str, display_name: object, *, except_for: str = ""
) -> None:
    """Raise `ApiError` for a name already in use, if `duplicate-display-name` is `rejected`."""
    if context.switches["duplicate-display-name"] == "allowed" or not display_name:
        return
    for connection in connections_of(context, organization_id):
        if connection["display_name"] == display_name and connection["connection_id"] != except_for:
            raise ApiError("invalid_display_name", "It is already in use.")


def save_stale_view(context: Context, organization: JsonObject) -> None:
    """Before a write: keep the present view for reads that lag behind."""
    lag = context.switches["read-lag"]
    if lag == "none":
        return
    organization_id = organization["organization_id"]
    context.read_lag.remember(
        f"connections {organization_id}", connections_of(context, organization_id), int(lag)
    )
    save_stale_organization(context, show_organization(context, organization))


def show_connection(context: Context, connection: JsonObject) -> JsonObject:
    """The connection as returned, by `client-secret`, `custom-scopes`, `new-fields` and `unset-fields`."""
    returned = dict(connection)
    _hide_secret(returned, context.switches["client-secret"])
    if returned.get("custom_scopes") and context.switches["custom-scopes"] == "encoded":
        returned["custom_scopes"] = quote(returned["custom_scopes"], safe="%")
    if context.switches["new-fields"] == "present":
        returned["emulated_new_field"] = {"since": "tomorrow"}
    return _with_unset_fields(returned, context.switches["unset-fields"])


def adopt_default(context: Context, connection: JsonObject, *, created: bool = False) -> None:
    """Make `connection` the default if there is none, by the switch `default-connection`."""
    rule = context.switches["default-connection"]
    due = (rule == "first-created" and created) or (
        rule == "first-active" and connection["status"] == "active" and not _is_external(connection)
    )
    organization = context.state.get("organizations", connection["organization_id"])
    if due and organization is not None and not organization.get("sso_default_connection_id"):
        organization["sso_default_connection_id"] = connection["connection_id"]
        context.state.put("organizations", organization)


def remove_references(context: Context, connection: JsonObject) -> None:
    """Remove everything that refers to `connection`, before it is deleted.

    Raises:
        ApiError: 400, if a switch refuses the deletion.
    """
    organization = context.state.get("organizations", connection["organization_id"])
    assert organization is not None
    _remove_default(context, organization, connection)
    _remove_from_jit_list(context, organization, connection)
    context.state.put("organizations", organization)
    _remove_external_references(context, connection)


def _new_connection(context: Context, call: ApiCall, fields: JsonObject) -> JsonObject:
    given = {name: value for name, value in fields.items() if value is not None}
    if not given.get("identity_provider"):
        given.pop("identity_provider", None)
    return {**new_connection(context, "oidc", call.organization_id), **given}


def _check_quota(context: Context, organization_id: str) -> None:
    count = len(connections_of(context, organization_id))
    limit, billed = context.settings.max_connections, context.settings.billing_connections
    if limit is not None and count >= limit:
        raise ApiError("too_many_sso_connections")
    if billed is not None and count >= billed:
        raise ApiError("too_many_sso_connections_for_billing_tier")


def _show_list(context: Context, name: str, members: list[JsonObject]) -> JsonObject:
    """The list under its name; the switch `empty-lists` sets the form of an empty one."""
    form = context.switches["empty-lists"]
    if members or form == "empty":
        return {name: members}
    return {name: None} if form == "null" else {}


def _hide_secret(returned: JsonObject, form: str) -> None:
    secret = returned.get("client_secret")
    if secret and form == "masked":
        returned["client_secret"] = _masked(secret)
    elif form == "empty":
        returned["client_secret"] = ""
    elif form == "absent":
        returned.pop("client_secret", None)


def _masked(secret: str) -> str:
    tail = secret[-_VISIBLE_CHARACTERS:] if len(secret) >= 2 * _VISIBLE_CHARACTERS else ""
    return "*" * 8 + tail


def _with_unset_fields(returned: JsonObject, form: str) -> JsonObject:
    if form == "absent":
        return {name: value for name, value in returned.items() if value != ""}
    if form == "null":
        nulled = {name: None if value == "" else value for name, value in returned.items()}
        return {**nulled, "attribute_mapping": returned.get("attribute_mapping")}
    if form == "empty-object":
        return {"attribute_mapping": {}, **returned}
    return returned


def _remove_default(context: Context, organization: JsonObject, connection: JsonObject) -> None:
    if organization.get("sso_default_connection_id") != connection["connection_id"]:
        return
    others = [
        candidate
        for candidate in connections_of(context, organization["organization_id"])
        if candidate["connection_id"] != connection["connection_id"] and not _is_external(candidate)
    ]
    rule = context.switches["delete-default"]
    if others and rule == "rejected":
        raise ApiError("cannot_delete_default_sso_connection")
    active = [candidate["connection_id"] for candidate in others if candidate["status"] == "active"]
    organization["sso_default_connection_id"] = active[0] if active and rule == "reassigns" else None


def _remove_from_jit_list(context: Context, organization: JsonObject, connection: JsonObject) -> None:
    allowed = organization.get(_JIT_LIST) or []
    if connection["connection_id"] not in allowed:
        return
    rule = context.switches["jit-list"]
    if rule == "rejected":
        raise ApiError("invalid_restricted_sso_setting", "JIT provisioning still names the connection.")
    if rule == "pruned":
        organization[_JIT_LIST] = [name for name in allowed if name != connection["connection_id"]]


def _remove_external_references(context: Context, connection: JsonObject) -> None:
    rule = context.switches["external-references"]
    if rule == "dangling":
        return
    statement = (
        "SELECT connection_id FROM connections WHERE json_extract(document, '$.external_connection_id') = ?"
    )
    for (reference,) in context.state.rows(statement, (connection["connection_id"],)):
        if rule == "rejected":
            raise ApiError("bad_request", "An External connection still points at the connection.")
        context.state.delete("connections", reference)


def _is_external(connection: JsonObject) -> bool:
    return kind_of(connection["connection_id"]) == "external"


_ROLES = {
    "connection_implicit_role_assignments": "external_connection_implicit_role_assignments",
    "group_implicit_role_assignments": "external_group_implicit_role_assignments",
}
_EXTERNAL_CREATE_FIELDS = ("external_organization_id", "external_connection_id", "display_name", *_ROLES)
_EXTERNAL_UPDATE_FIELDS = ("display_name", *_ROLES.values())


async def create_external_connection(context: Context, call: ApiCall) -> JsonObject:
    """POST /v1/b2b/sso/external/{organization_id}: active at once."""
    check_known_keys(context, call.body, _EXTERNAL_CREATE_FIELDS)
    fields = _checked(call.body, _EXTERNAL_CREATE_FIELDS)
    with context.state.transaction():
        target = _target_connection(context, call, fields)
        connection = {
            **new_connection(context, "external", call.organization_id),
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
    check_known_keys(context, call.body, _EXTERNAL_UPDATE_FIELDS)
    fields = _checked(call.body, _EXTERNAL_UPDATE_FIELDS)
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
        typed(name, value, list if name.endswith("role_assignments") else str)
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
