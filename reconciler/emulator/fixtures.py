"""Putting organizations, connections, members and sessions into the store, with the API's defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.blanks import (
    BLANK_CONNECTIONS,
    blank_member,
    blank_organization,
    environment_of_organization,
)
from reconciler.emulator.connection_defaults import adopt_default
from reconciler.emulator.connection_update import status_of
from reconciler.emulator.identifiers import environment_of

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

_DAY = 86_400.0
_JWT_SECONDS = 300.0


def add_project(
    context: Context, *, project_id: str, secret: str, public_token: str, **fields: object
) -> JsonObject:
    """Store a project; `roles` in `fields` are laid over the default roles."""
    project = {"project_id": project_id, "secret": secret, "public_token": public_token, **fields}
    context.state.put("projects", project)
    return project


def add_organization(context: Context, project_id: str, slug: str, **fields: object) -> JsonObject:
    """Store an organization; `fields` are wire fields, `organization_id` among them if need be."""
    organization = {
        **blank_organization(context, slug, environment_of(project_id) or "test"),
        **fields,
        "project_id": project_id,
    }
    context.state.put("organizations", organization)
    return organization


def add_connection(context: Context, organization: JsonObject, kind: str, fields: JsonObject) -> JsonObject:
    """Store a connection of `kind` (`oidc`, `saml`, `external`); `status` follows from the fields."""
    blank = BLANK_CONNECTIONS[kind](context, organization["organization_id"])
    connection = {**_renamed(blank, fields.get("connection_id")), **fields}
    if kind == "oidc":
        connection["status"] = fields.get("status") or status_of(context, connection)
    with context.state.transaction():
        context.state.put("connections", connection)
        adopt_default(context, connection, created=True)
    return connection


def add_member(
    context: Context,
    organization: JsonObject,
    roles: tuple[str, ...] = (),
    **fields: object,
) -> JsonObject:
    """Store a member of an organization with RBAC roles."""
    member = {**blank_member(context, organization["organization_id"]), **fields, "roles": list(roles)}
    context.state.put("members", member)
    return member


def add_session(context: Context, member: JsonObject, **fields: object) -> JsonObject:
    """Store a session of a member; `expires_at` and `jwt_expires_at` are seconds since the epoch."""
    environment = environment_of_organization(member["organization_id"])
    session = {
        "member_session_id": context.identifiers.new("member-session", environment),
        "session_token": context.identifiers.new("session-token", environment),
        "session_jwt": context.identifiers.new("session-jwt", environment),
        "expires_at": context.now() + _DAY,
        "jwt_expires_at": context.now() + _JWT_SECONDS,
        **fields,
        "member_id": member["member_id"],
    }
    context.state.put("sessions", session)
    return session


def _renamed(blank: JsonObject, connection_id: str | None) -> JsonObject:
    """With another id, also in the URLs that contain it."""
    if connection_id is None:
        return blank
    former = blank["connection_id"]
    return {
        name: value.replace(former, connection_id) if isinstance(value, str) else value
        for name, value in blank.items()
    }
