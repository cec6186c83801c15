"""The table of endpoints: name, method, path, handler and permission."""

from __future__ import annotations

from reconciler.emulator.connection_update import update_oidc_connection
from reconciler.emulator.connections import create_oidc_connection, delete_connection, list_connections
from reconciler.emulator.external_connections import (
    create_external_connection,
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
)
from reconciler.emulator.identity_provider import IDENTITY_PROVIDER_ROUTES
from reconciler.emulator.organizations import get_organization, update_organization
from reconciler.emulator.request import Endpoint, Operation, Permission, PlainRoute, Surface
from reconciler.emulator.search import search_organizations

_GET, _CREATE = Permission("get"), Permission("create")
_UPDATE, _DELETE = Permission("update"), Permission("delete")
_SSO = "/v1/b2b/sso"
_ORGANIZATIONS = "/v1/b2b/organizations"
_OWN_SSO = "/sdk/v1/b2b/sso"
_OWN = "/sdk/v1/b2b/organizations"

BACKEND = (
    Operation("list-connections", "GET", f"{_SSO}/{{organization_id}}", list_connections, permission=_GET),
    Operation(
        "create-oidc-connection",
        "POST",
        f"{_SSO}/oidc/{{organization_id}}",
        create_oidc_connection,
        permission=_CREATE,
    ),
    Operation(
        "update-oidc-connection",
        "PUT",
        f"{_SSO}/oidc/{{organization_id}}/connections/{{connection_id}}",
        update_oidc_connection,
        permission=_UPDATE,
    ),
    Operation(
        "delete-connection",
        "DELETE",
        f"{_SSO}/{{organization_id}}/connections/{{connection_id}}",
        delete_connection,
        permission=_DELETE,
    ),
    Operation(
        "create-external-connection",
        "POST",
        f"{_SSO}/external/{{organization_id}}",
        create_external_connection,
        permission=_CREATE,
    ),
    Operation(
        "update-external-connection",
        "PUT",
        f"{_SSO}/external/{{organization_id}}/connections/{{connection_id}}",
        update_external_connection,
        permission=_UPDATE,
    ),
    Operation("search-organizations", "POST", f"{_ORGANIZATIONS}/search", search_organizations),
    Operation("get-organization", "GET", f"{_ORGANIZATIONS}/{{organization_id}}", get_organization),
    Operation("update-organization", "PUT", f"{_ORGANIZATIONS}/{{organization_id}}", update_organization),
)

FRONTEND = (
    Operation("frontend-list-connections", "GET", _OWN_SSO, list_connections, Surface.FRONTEND, _GET),
    Operation(
        "frontend-create-oidc-connection",
        "POST",
        f"{_OWN_SSO}/oidc",
        create_oidc_connection,
        Surface.FRONTEND,
        _CREATE,
    ),
    Operation(
        "frontend-update-oidc-connection",
        "PUT",
        f"{_OWN_SSO}/oidc/{{connection_id}}",
        update_oidc_connection,
        Surface.FRONTEND,
        _UPDATE,
    ),
    Operation(
        "frontend-create-external-connection",
        "POST",
        f"{_OWN_SSO}/external",
        create_external_connection,
        Surface.FRONTEND,
        _CREATE,
    ),
    Operation(
        "frontend-update-external-connection",
        "PUT",
        f"{_OWN_SSO}/external/{{connection_id}}",
        update_external_connection,
        Surface.FRONTEND,
        _UPDATE,
    ),
    Operation(
        "frontend-delete-connection",
        "DELETE",
        f"{_OWN_SSO}/{{connection_id}}",
        delete_connection,
        Surface.FRONTEND,
        _DELETE,
    ),
    Operation("frontend-get-organization", "GET", f"{_OWN}/me", get_organization, Surface.FRONTEND),
    Operation("frontend-update-organization", "PUT", f"{_OWN}/me", update_organization, Surface.FRONTEND),
    Operation("frontend-get-member", "GET", f"{_OWN}/members/me", get_member, Surface.FRONTEND),
    Operation(
        "frontend-search-organizations",
        "POST",
        f"{_OWN}/search",
        find_by_slug,
        Surface.FRONTEND,
        session_needed=False,
    ),
    Operation(
        "frontend-admin-portal-config",
        "GET",
        "/sdk/v1/b2b/admin_portal_config",
        get_admin_portal_config,
        Surface.FRONTEND,
    ),
    Operation(
        "frontend-authenticate-session",
        "POST",
        "/sdk/v1/b2b/sessions/authenticate",
        authenticate_session,
        Surface.FRONTEND,
    ),
    Operation(
        "frontend-revoke-session", "POST", "/sdk/v1/b2b/sessions/revoke", revoke_session, Surface.FRONTEND
    ),
    Operation(
        "frontend-bootstrap",
        "GET",
        "/sdk/v1/projects/bootstrap/{public_token}",
        bootstrap,
        Surface.FRONTEND,
        session_needed=False,
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *BACKEND,
    *FRONTEND,
    PlainRoute("frontend-events", "POST", "/sdk/v1/events", accept_events),
    *IDENTITY_PROVIDER_ROUTES,
)

ENDPOINT_NAMES: tuple[str, ...] = tuple(dict.fromkeys(endpoint.name for endpoint in ENDPOINTS))
