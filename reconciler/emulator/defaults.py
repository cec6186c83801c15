"""Default values of new organizations, members and connections: every field that the API requires."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from reconciler.emulator.connection_fields import URL_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

# kind of connection: its fields, besides the ids
_CONNECTIONS: Mapping[str, JsonObject] = {
    "oidc": {
        "status": "pending",
        "display_name": "",
        "identity_provider": "generic",
        "redirect_url": "",
        **dict.fromkeys(("issuer", "client_id", "client_secret", *URL_FIELDS, "custom_scopes"), ""),
    },
    "saml": {
        "status": "active",
        "display_name": "SAML",
        "identity_provider": "generic",
        "idp_entity_id": "https://saml.example.com/entity",
        "idp_sso_url": "https://saml.example.com/sso",
        "acs_url": "",
        "audience_uri": "",
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
    },
    "external": {
        "external_organization_id": "",
        "external_connection_id": "",
        "display_name": "External",
        "status": "active",
        "external_connection_implicit_role_assignments": [],
        "external_group_implicit_role_assignments": [],
    },
}
CONNECTION_KINDS = tuple(_CONNECTIONS)
CALLBACK_PATH = "/v1/b2b/sso/callback"
_CALLBACKS = ("redirect_url", "acs_url", "audience_uri")
_HOSTS = {"test": "https://test.stytch.com", "live": "https://api.stytch.com"}


def environment_of_organization(organization_id: str) -> str:
    """`test` or `live` by the prefix of the id."""
    return "live" if organization_id.startswith("organization-live-") else "test"


def new_organization(context: Context, slug: str, environment: str) -> JsonObject:
    """An organization with the API's default settings, still without a project."""
    return {
        "organization_id": context.identifiers.new("organization", environment),
        "organization_name": slug,
        "organization_slug": slug,
        "organization_logo_url": "",
        "organization_external_id": None,
        "trusted_metadata": {},
        "sso_default_connection_id": None,
        "sso_jit_provisioning": "ALL_ALLOWED",
        "sso_jit_provisioning_allowed_connections": [],
        "scim_active_connection": None,
        "email_allowed_domains": [],
        "email_jit_provisioning": "NOT_ALLOWED",
        "email_invites": "ALL_ALLOWED",
        "auth_methods": "ALL_ALLOWED",
        "allowed_auth_methods": [],
        "mfa_policy": "OPTIONAL",
        "mfa_methods": "ALL_ALLOWED",
        "allowed_mfa_methods": [],
        "rbac_email_implicit_role_assignments": [],
        "oauth_tenant_jit_provisioning": "NOT_ALLOWED",
        "allowed_oauth_tenants": {},
        "claimed_email_domains": [],
        "first_party_connected_apps_allowed_type": "ALL_ALLOWED",
        "allowed_first_party_connected_apps": [],
        "third_party_connected_apps_allowed_type": "ALL_ALLOWED",
        "allowed_third_party_connected_apps": [],
        "custom_roles": [],
    }


def new_member(context: Context, organization_id: str) -> JsonObject:
    """An active member without a role."""
    return {
        "organization_id": organization_id,
        "member_id": context.identifiers.new("member", environment_of_organization(organization_id)),
        "email_address": "",
        "email_address_verified": True,
        "retired_email_addresses": [],
        "status": "active",
        "name": "",
        "roles": [],
        "sso_registrations": [],
        "oauth_registrations": [],
        "scim_registration": None,
        "is_admin": False,
        "is_breakglass": False,
        "is_locked": False,
        "member_password_id": "",
        "mfa_enrolled": False,
        "mfa_phone_number": "",
        "mfa_phone_number_verified": False,
        "default_mfa_method": "",
        "totp_registration_id": "",
        "trusted_metadata": {},
        "untrusted_metadata": {},
    }


def new_connection(context: Context, kind: str, organization_id: str) -> JsonObject:
    """A pending OIDC connection without settings, an active SAML, or an External one to nowhere."""
    environment = environment_of_organization(organization_id)
    connection_id = context.identifiers.new(f"{kind}-connection", environment)
    own = context.bound_url if context.settings.local_redirects else None
    host = (context.settings.redirect_base_url or own or _HOSTS[environment]).rstrip("/")
    callback = f"{host}{CALLBACK_PATH}/{connection_id}"
    connection = {
        "organization_id": organization_id,
        "connection_id": connection_id,
        **deepcopy(_CONNECTIONS[kind]),
    }
    connection |= {name: callback for name in _CALLBACKS if name in connection}
    if kind == "external":
        connection["external_organization_id"] = context.identifiers.new("organization", environment)
        connection["external_connection_id"] = context.identifiers.new("saml-connection", environment)
    return connection
