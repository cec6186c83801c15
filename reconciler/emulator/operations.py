"""The table of endpoints."""

from __future__ import annotations

from reconciler.emulator.calls import Operation, Permission, Surface
from reconciler.emulator.connection_update import update_oidc_connection
from reconciler.emulator.connections import create_oidc_connection, delete_connection, list_connections
from reconciler.emulator.organizations import get_organization, update_organization
from reconciler.emulator.search import search_organizations

_GET, _CREATE = Permission("get"), Permission("create")
_UPDATE, _DELETE = Permission("update"), Permission("delete")
_SSO = "/v1/b2b/sso"
_ORGANIZATIONS = "/v1/b2b/organizations"

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
    Operation("search-organizations", "POST", f"{_ORGANIZATIONS}/search", search_organizations),
    Operation("get-organization", "GET", f"{_ORGANIZATIONS}/{{organization_id}}", get_organization),
    Operation("update-organization", "PUT", f"{_ORGANIZATIONS}/{{organization_id}}", update_organization),
)

OPERATIONS = BACKEND

__all__ = ["BACKEND", "OPERATIONS", "Surface"]
