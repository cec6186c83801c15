"""The table of endpoints: name, method, path, handler and permission."""

from __future__ import annotations

from functools import partial

from reconciler.emulator.connection_update import update_oidc_connection
from reconciler.emulator.connections import (
    create_external_connection,
    create_oidc_connection,
    delete_connection,
    list_connections,
    update_external_connection,
)
from reconciler.emulator.frontend import (
    accept_events,
    authenticate_session,
    bootstrap,
    find_by_slug,
    get_admin_portal_config,
    get_member,
    revoke_session,
    revoke_sessions,
)
from reconciler.emulator.identity_provider import IDENTITY_PROVIDER_ROUTES
from reconciler.emulator.members import authenticate_sso
from reconciler.emulator.organizations import get_organization, update_organization
from reconciler.emulator.relying_party import RELYING_PARTY_ROUTES
from reconciler.emulator.request import Endpoint, Operation, PlainRoute
from reconciler.emulator.search import search_organizations

_SSO = "/v1/b2b/sso"
_ID = "{organization_id}"
_CONNECTION = f"{_ID}/connections/{{connection_id}}"
_ORGANIZATIONS = "/v1/b2b/organizations"
_ORGANIZATION = f"{_ORGANIZATIONS}/{_ID}"

_BACKEND = (
    Operation("list-connections", "GET", f"{_SSO}/{_ID}", list_connections, "get"),
    Operation("create-oidc-connection", "POST", f"{_SSO}/oidc/{_ID}", create_oidc_connection, "create"),
    Operation(
        "update-oidc-connection", "PUT", f"{_SSO}/oidc/{_CONNECTION}", update_oidc_connection, "update"
    ),
    Operation("delete-connection", "DELETE", f"{_SSO}/{_CONNECTION}", delete_connection, "delete"),
    Operation(
        "create-external-connection", "POST", f"{_SSO}/external/{_ID}", create_external_connection, "create"
    ),
    Operation(
        "update-external-connection",
        "PUT",
        f"{_SSO}/external/{_CONNECTION}",
        update_external_connection,
        "update",
    ),
    Operation("authenticate-sso", "POST", f"{_SSO}/authenticate", authenticate_sso),
    Operation("revoke-sessions", "POST", "/v1/b2b/sessions/revoke", revoke_sessions),
    Operation("search-organizations", "POST", f"{_ORGANIZATIONS}/search", search_organizations),
    Operation("get-organization", "GET", _ORGANIZATION, get_organization),
    Operation("update-organization", "PUT", _ORGANIZATION, update_organization),
)

_frontend = partial(Operation, frontend=True)
_OWN_SSO = "/sdk/v1/b2b/sso"
_OWN = "/sdk/v1/b2b/organizations"
_OIDC, _EXTERNAL = f"{_OWN_SSO}/oidc", f"{_OWN_SSO}/external"

_FRONTEND = (
    _frontend("frontend-list-connections", "GET", _OWN_SSO, list_connections, "get"),
    _frontend("frontend-create-oidc-connection", "POST", _OIDC, create_oidc_connection, "create"),
    _frontend(
        "frontend-update-oidc-connection",
        "PUT",
        f"{_OIDC}/{{connection_id}}",
        update_oidc_connection,
        "update",
    ),
    _frontend("frontend-create-external-connection", "POST", _EXTERNAL, create_external_connection, "create"),
    _frontend(
        "frontend-update-external-connection",
        "PUT",
        f"{_EXTERNAL}/{{connection_id}}",
        update_external_connection,
        "update",
    ),
    _frontend(
        "frontend-delete-connection", "DELETE", f"{_OWN_SSO}/{{connection_id}}", delete_connection, "delete"
    ),
    _frontend("frontend-get-organization", "GET", f"{_OWN}/me", get_organization),
    _frontend("frontend-update-organization", "PUT", f"{_OWN}/me", update_organization),
    _frontend("frontend-get-member", "GET", f"{_OWN}/members/me", get_member),
    _frontend("frontend-search-organizations", "POST", f"{_OWN}/search", find_by_slug, session_needed=False),
    _frontend(
        "frontend-admin-portal-config", "GET", "/sdk/v1/b2b/admin_portal_config", get_admin_portal_config
    ),
    _frontend(
        "frontend-authenticate-session", "POST", "/sdk/v1/b2b/sessions/authenticate", authenticate_session
    ),
    _frontend("frontend-revoke-session", "POST", "/sdk/v1/b2b/sessions/revoke", revoke_session),
    _frontend(
        "frontend-authenticate-sso",
        "POST",
        f"{_OWN_SSO}/authenticate",
        authenticate_sso,
        session_needed=False,
    ),
    _frontend(
        "frontend-bootstrap",
        "GET",
        "/sdk/v1/projects/bootstrap/{public_token}",
        bootstrap,
        session_needed=False,
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *_BACKEND,
    *_FRONTEND,
    PlainRoute("frontend-events", "POST", "/sdk/v1/events", accept_events),
    *RELYING_PARTY_ROUTES,
    *IDENTITY_PROVIDER_ROUTES,
)

ENDPOINT_NAMES: tuple[str, ...] = tuple(dict.fromkeys(endpoint.name for endpoint in ENDPOINTS))
