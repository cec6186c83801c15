"""Adds objects to the store, from Python or from a seed document."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import yaml

from reconciler.emulator.connection_update import status_of
from reconciler.emulator.connections import adopt_default, remove_references
from reconciler.emulator.context import environment_of
from reconciler.emulator.defaults import (
    CONNECTION_KINDS,
    environment_of_organization,
    new_connection,
    new_member,
    new_organization,
)
from reconciler.emulator.switches import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

_DAY = 86_400.0
_JWT_SECONDS = 300.0
_TYPE_NAMES = {str: "a string", list: "a list", dict: "a mapping", int: "a number"}
_DOCUMENT = {"projects": list, "organizations": list, "identity_providers": list, "discovery": list}
_PROJECT = {"project_id": str, "secret": str, "public_token": str, "name": str, "roles": dict}
_MEMBER = {"member_id": str, "email_address": str, "name": str, "roles": list, "sessions": list}
_TENANT = {
    "name": str, "metadata": dict, "keys": list, "clients": dict, "redirect_uris": list, "users": dict,
    "expired_secrets": list,
}  # fmt: skip
_SESSION = {"session_token": str, "session_jwt": str, "expires_in": int}
# table: its key, and the keys of an entry
_OBJECTS: Mapping[str, tuple[str, Mapping[str, type]]] = {
    "tenants": ("name", _TENANT),
    "discovery": ("issuer", {"issuer": str, "document": dict, "failure": str}),
}


class SeedError(ValueError):
    """An invalid seed; the message names the place in it, such as `organizations[2].slug`."""


def add_organization(context: Context, project_id: str, slug: str, **fields: object) -> JsonObject:
    """Store an organization; `fields` are wire fields and may include `organization_id`."""
    organization = {
        **new_organization(context, slug, environment_of(project_id) or "test"),
        **fields,
        "project_id": project_id,
    }
    context.state.put("organizations", organization)
    return organization


def add_connection(context: Context, organization: JsonObject, kind: str, fields: JsonObject) -> JsonObject:
    """Store a connection of `kind` (`oidc`, `saml`, `external`); `status` follows from the fields."""
    defaults = new_connection(context, kind, organization["organization_id"])
    connection = {**_with_id(defaults, fields.get("connection_id")), **fields}
    if kind == "oidc":
        connection["status"] = fields.get("status") or status_of(context, connection)
    with context.state.transaction():
        context.state.put("connections", connection)
        adopt_default(context, connection, created=True)
    return connection


def add_member(
    context: Context, organization: JsonObject, roles: tuple[str, ...] = (), **fields: object
) -> JsonObject:
    """Store a member of an organization with RBAC roles."""
    member = {**new_member(context, organization["organization_id"]), **fields, "roles": list(roles)}
    context.state.put("members", member)
    return member


def add_session(context: Context, member: JsonObject, **fields: object) -> JsonObject:
    """Store a session of a member; `expires_at` and `jwt_expires_at` are seconds since the epoch."""
    environment = environment_of_organization(member["organization_id"])
    session = {
        "member_session_id": context.identifiers.new("member-session", environment),
        "session_token": context.identifiers.new("session-token", environment),
        "session_jwt": context.identifiers.new("session-jwt", environment),
        "started_at": context.now(),
        "expires_at": context.now() + _DAY,
        "jwt_expires_at": context.now() + _JWT_SECONDS,
        **fields,
        "member_id": member["member_id"],
    }
    context.state.put("sessions", session)
    return session


def edit_connection(context: Context, connection_id: str, fields: JsonObject) -> JsonObject:
    """Change wire fields of a connection as in the dashboard; raises `KeyError` for an unknown one."""
    with context.state.transaction():
        edited = {**stored_connection(context, connection_id), **fields, "connection_id": connection_id}
        context.state.put("connections", edited)
    return edited


def remove_connection(context: Context, connection_id: str) -> None:
    """Delete a connection as in the dashboard; raises `KeyError` for an unknown one."""
    with context.state.transaction():
        remove_references(context, stored_connection(context, connection_id))
        context.state.delete("connections", connection_id)


def stored_connection(context: Context, connection_id: str) -> JsonObject:
    """One stored connection; raises `KeyError` for an unknown one."""
    connection = context.state.get("connections", connection_id)
    if connection is None:
        raise KeyError(connection_id)
    return connection


def put_tenant(context: Context, name: str, fields: JsonObject) -> str:
    """Add or change a tenant of the built-in identity provider; returns its path."""
    stored = context.state.get("tenants", name) or {}
    context.state.put("tenants", {**stored, **fields, "name": name})
    return f"/idp/{name}"


def read_seed(path: Path) -> JsonObject:
    """The document of a YAML or JSON file; raises `SeedError` if it is unreadable or not a mapping."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SeedError(f"cannot read seed '{path}': {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SeedError(f"seed '{path}' is neither YAML nor JSON: {error}") from error
    return _mapping(document if document is not None else {}, "the seed")


def apply_seed(context: Context, document: JsonObject, default_project: str) -> None:
    """Store everything in a seed document, or nothing.

    Raises:
        SeedError: an unknown key, a wrong type, a missing name, or an id already in use.
    """
    _check_keys(document, _DOCUMENT, "")
    store: dict[str, Callable[[JsonObject, str], None]] = {
        "projects": lambda entry, place: _seed_project(context, entry, place),
        "organizations": lambda entry, place: _seed_organization(context, entry, place, default_project),
        "identity_providers": lambda entry, place: _seed_object(context, "tenants", entry, place),
        "discovery": lambda entry, place: _seed_object(context, "discovery", entry, place),
    }
    with context.state.transaction():
        for name, put in store.items():
            for place, entry in _entries(document, name):
                try:
                    put(entry, place)
                except (TypeError, sqlite3.IntegrityError) as error:
                    raise SeedError(f"{place}: {error}") from error


def _with_id(connection: JsonObject, connection_id: str | None) -> JsonObject:
    """The connection with another id, also in its URLs."""
    if connection_id is None:
        return connection
    former_id = connection["connection_id"]
    return {
        name: value.replace(former_id, connection_id) if isinstance(value, str) else value
        for name, value in connection.items()
    }


def _seed_object(context: Context, table: str, entry: JsonObject, place: str) -> None:
    key, known = _OBJECTS[table]
    _check_keys(entry, known, place)
    context.state.put(table, {**entry, key: _required(entry, key, place)})


def _seed_project(context: Context, entry: JsonObject, place: str) -> None:
    _check_keys(entry, _PROJECT, place)
    keys = {name: _required(entry, name, place) for name in ("project_id", "secret", "public_token")}
    context.state.put("projects", {**keys, **entry})


def _seed_organization(context: Context, entry: JsonObject, place: str, default_project: str) -> None:
    nested = ("project_id", "connections", "members")
    _check_names_of_keys(entry, (*new_organization(context, "", "test"), *nested, "suspended"), place)
    project_id = entry.get("project_id", default_project)
    if context.state.get("projects", project_id) is None:
        raise SeedError(f"{place}.project_id: there is no project '{project_id}'")
    slug = _required(entry, "organization_slug", place)
    fields = {name: value for name, value in entry.items() if name not in (*nested, "organization_slug")}
    _check_names(context, entry, project_id, place)
    default = fields.pop("sso_default_connection_id", None)
    organization = add_organization(context, project_id, slug, **fields)
    for at, connection in _entries(entry, "connections", place):
        _seed_connection(context, organization, connection, at)
    for at, member in _entries(entry, "members", place):
        _seed_member(context, organization, member, at)
    if "sso_default_connection_id" in entry:
        _set_default(context, organization, default, place)


def _seed_connection(context: Context, organization: JsonObject, entry: JsonObject, place: str) -> None:
    kind = entry.get("kind", "oidc")
    if kind not in CONNECTION_KINDS:
        raise SeedError(f"{place}.kind: unknown kind '{kind}'; known: {', '.join(CONNECTION_KINDS)}")
    connection_id = entry.get("connection_id")
    if connection_id is not None and not str(connection_id).startswith(f"{kind}-connection-"):
        raise SeedError(f"{place}.connection_id: '{connection_id}' does not start with '{kind}-connection-'")
    if connection_id is not None and context.state.get("connections", connection_id) is not None:
        raise SeedError(f"{place}.connection_id: '{connection_id}' is already taken")
    known = (*new_connection(context, kind, ""), "kind", "attribute_mapping")
    _check_names_of_keys(entry, known, place)
    fields = {name: value for name, value in entry.items() if name != "kind"}
    for name, value in fields.items():
        if kind == "oidc" and name != "attribute_mapping" and not isinstance(value, str):
            raise SeedError(f"{place}.{name}: expected a string")
    add_connection(context, organization, kind, fields)


def _seed_member(context: Context, organization: JsonObject, entry: JsonObject, place: str) -> None:
    _check_keys(entry, _MEMBER, place)
    fields = {name: value for name, value in entry.items() if name not in ("roles", "sessions")}
    member = add_member(context, organization, tuple(entry.get("roles", ())), **fields)
    for at, session in _entries(entry, "sessions", place):
        _check_keys(session, _SESSION, at)
        given = {name: value for name, value in session.items() if name != "expires_in"}
        if "expires_in" in session:
            given["expires_at"] = given["jwt_expires_at"] = context.now() + session["expires_in"]
        add_session(context, member, **given)


def _set_default(context: Context, organization: JsonObject, default: object, place: str) -> None:
    stored = context.state.get("organizations", organization["organization_id"])
    assert stored is not None
    connection = context.state.get("connections", str(default)) if default else None
    if default and (connection is None or connection["organization_id"] != stored["organization_id"]):
        raise SeedError(f"{place}.sso_default_connection_id: there is no connection '{default}' here")
    context.state.put("organizations", {**stored, "sso_default_connection_id": default})


def _check_names(context: Context, entry: JsonObject, project_id: str, place: str) -> None:
    columns = {
        "organization_id": "organization_id",
        "organization_slug": "slug",
        "organization_external_id": "external_id",
    }
    for name, column in columns.items():
        value = entry.get(name)
        if value is None:
            continue
        for organization in context.state.where("organizations", column, _required(entry, name, place)):
            if column == "organization_id" or organization["project_id"] == project_id:
                raise SeedError(f"{place}.{name}: '{value}' is already taken")


def _entries(document: JsonObject, name: str, place: str = "") -> list[tuple[str, JsonObject]]:
    at = _at(place, name)
    entries = document.get(name) or []
    if not isinstance(entries, list):
        raise SeedError(f"{at}: expected a list")
    return [(f"{at}[{index}]", _mapping(entry, f"{at}[{index}]")) for index, entry in enumerate(entries)]


def _mapping(value: Any, place: str) -> JsonObject:  # noqa: ANN401 -- any YAML value
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise SeedError(f"{place}: expected a mapping")
    return value


def _check_keys(entry: JsonObject, known: Mapping[str, type], place: str) -> None:
    _check_names_of_keys(entry, known, place)
    for name, value in entry.items():
        if value is not None and not isinstance(value, known[name]):
            raise SeedError(f"{_at(place, name)}: expected {_TYPE_NAMES[known[name]]}")


def _check_names_of_keys(entry: JsonObject, known: Iterable[str], place: str) -> None:
    names = tuple(known)
    for name in entry:
        if name not in names:
            hint = did_you_mean(name, names) or f", known: {', '.join(names)}"
            raise SeedError(f"{_at(place, name)}: unknown key{hint}")


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _required(entry: JsonObject, name: str, place: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise SeedError(f"{place}.{name}: expected a string")
    return value
