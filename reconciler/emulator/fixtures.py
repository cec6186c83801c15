"""Putting organizations, connections, members and sessions into the store, with the API's defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.connection_defaults import adopt_default
from reconciler.emulator.connection_update import status_of
from reconciler.emulator.connections import fresh_oidc_connection
from reconciler.emulator.identifiers import environment_of

if TYPE_CHECKING:
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.world import World

_DAY = 86_400.0
_JWT_SECONDS = 300.0


def add_project(
    world: World, *, project_id: str, secret: str, public_token: str, **fields: object
) -> JsonObject:
    """Store a project; `roles` in `fields` are laid over the default roles."""
    project = {"project_id": project_id, "secret": secret, "public_token": public_token, **fields}
    world.state.put("projects", project)
    return project


def add_organization(world: World, project_id: str, slug: str, **fields: object) -> JsonObject:
    """Store an organization; `fields` are wire fields, `organization_id` among them if need be."""
    organization = {
        "organization_id": world.identifiers.new("organization", environment_of(project_id) or "test"),
        "organization_name": slug,
        "organization_slug": slug,
        "organization_logo_url": "",
        "organization_external_id": None,
        "trusted_metadata": {},
        "sso_default_connection_id": None,
        "sso_jit_provisioning": "ALL_ALLOWED",
        "sso_jit_provisioning_allowed_connections": [],
        "email_allowed_domains": [],
        "claimed_email_domains": [],
        "email_jit_provisioning": "NOT_ALLOWED",
        "email_invites": "ALL_ALLOWED",
        "auth_methods": "ALL_ALLOWED",
        "allowed_auth_methods": [],
        "mfa_policy": "OPTIONAL",
        "mfa_methods": "ALL_ALLOWED",
        "allowed_mfa_methods": [],
        **fields,
        "project_id": project_id,
    }
    world.state.put("organizations", organization)
    return organization


def add_connection(world: World, organization: JsonObject, kind: str, fields: JsonObject) -> JsonObject:
    """Store a connection of `kind` (`oidc`, `saml`, `external`); `status` follows from the fields."""
    make = {"oidc": _oidc, "saml": _saml, "external": _external}[kind]
    connection = {**make(world, organization), **fields}
    if kind == "oidc":
        connection["status"] = fields.get("status") or status_of(world, connection)
    with world.state.transaction():
        world.state.put("connections", connection)
        adopt_default(world, connection, created=True)
    return connection


def add_member(
    world: World,
    organization: JsonObject,
    roles: tuple[str, ...] = (),
    **fields: object,
) -> JsonObject:
    """Store a member of an organization with RBAC roles."""
    member = {
        "member_id": world.identifiers.new("member", _environment(organization)),
        "email_address": "",
        **fields,
        "organization_id": organization["organization_id"],
        "roles": list(roles),
    }
    world.state.put("members", member)
    return member


def add_session(world: World, member: JsonObject, **fields: object) -> JsonObject:
    """Store a session of a member; `expires_at` and `jwt_expires_at` are seconds since the epoch."""
    environment = _environment(member)
    session = {
        "member_session_id": world.identifiers.new("member-session", environment),
        "session_token": world.identifiers.new("session-token", environment),
        "session_jwt": world.identifiers.new("session-jwt", environment),
        "expires_at": world.now() + _DAY,
        "jwt_expires_at": world.now() + _JWT_SECONDS,
        **fields,
        "member_id": member["member_id"],
    }
    world.state.put("sessions", session)
    return session


def _environment(owned: JsonObject) -> str:
    return "live" if "-live-" in owned["organization_id"] else "test"


def _oidc(world: World, organization: JsonObject) -> JsonObject:
    return fresh_oidc_connection(world, organization, _environment(organization))


def _saml(world: World, organization: JsonObject) -> JsonObject:
    environment = _environment(organization)
    connection_id = world.identifiers.new("saml-connection", environment)
    return {
        "organization_id": organization["organization_id"],
        "connection_id": connection_id,
        "status": "active",
        "display_name": "SAML",
        "identity_provider": "generic",
        "idp_entity_id": "https://saml.example.com/entity",
        "idp_sso_url": "https://saml.example.com/sso",
        "acs_url": f"https://test.stytch.com/v1/b2b/sso/callback/{connection_id}",
        "audience_uri": f"https://test.stytch.com/v1/b2b/sso/callback/{connection_id}",
        "alternative_audience_uri": "",
        "alternative_acs_url": "",
        "nameid_format": "",
        "idp_initiated_auth_disabled": False,
        "allow_gateway_callback": False,
        "signing_certificates": [],
        "verification_certificates": [],
        "encryption_private_keys": [],
        "saml_connection_implicit_role_assignments": [],
        "saml_group_implicit_role_assignments": [],
        "attribute_mapping": {"email": "email", "full_name": "name"},
    }


def _external(world: World, organization: JsonObject) -> JsonObject:
    environment = _environment(organization)
    return {
        "organization_id": organization["organization_id"],
        "connection_id": world.identifiers.new("external-connection", environment),
        "external_organization_id": world.identifiers.new("organization", environment),
        "external_connection_id": world.identifiers.new("saml-connection", environment),
        "display_name": "External",
        "status": "active",
        "external_connection_implicit_role_assignments": [],
        "external_group_implicit_role_assignments": [],
    }
