"""Authenticates callers, and authorizes member sessions by the permissions of their roles."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING

from reconciler.emulator.connection_fields import is_loopback, scheme_and_host
from reconciler.emulator.context import environment_of
from reconciler.emulator.errors import ApiError
from reconciler.emulator.request import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import Operation


_SESSION_HEADER = "x-stytch-member-session"
_SESSION_JWT_HEADER = "x-stytch-member-sessionjwt"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,4096}")
_SSO_SETTINGS = ("update.settings.default-sso-connection", "update.settings.sso-jit-provisioning")

# role: resource: actions; a project's own `roles` override it
_DEFAULT_ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "stytch_admin": {
        "stytch.sso": ("get", "create", "update", "delete"),
        "stytch.organization": ("get", *_SSO_SETTINGS),
        "stytch.self": ("*",),
    },
    "stytch_member": {"stytch.self": ("*",)},
}


def authenticate_backend(context: Context, headers: Mapping[str, str]) -> Caller:
    """The project of `project_id:secret`, and the member of the session header, if there is one.

    Raises:
        ApiError: 401 for wrong keys or the wrong environment; 400 or 404 for a bad session.
    """
    project_id, secret = _basic(headers)
    _check_formats(project_id, secret)
    _check_environment(context, project_id)
    project = context.state.get("projects", project_id)
    if project is None or not hmac.compare_digest(secret.encode(), project["secret"].encode()):
        raise ApiError("unauthorized_credentials")
    session = _session_of_headers(context, headers)
    return Caller(project) if session is None else _as_member(context, project, session)


def authenticate_frontend(context: Context, headers: Mapping[str, str], *, session_needed: bool) -> Caller:
    """The project of `public_token:session_token`, and the member of the session.

    Raises:
        ApiError: 401 for an unknown public token or a disabled frontend API; the switch `dead-session`
            sets the error of an unknown or expired session.
    """
    public_token, session_token = _basic(headers)
    _check_environment(context, public_token)
    project = next(context.state.where("projects", "public_token", public_token), None)
    if project is None:
        raise ApiError("unauthorized_credentials")
    if context.switches["frontend-api"] == "off":
        raise ApiError("endpoint_not_authorized_for_sdk")
    if not session_needed:
        return Caller(project)
    session = context.state.get("sessions", session_token)
    if session is None or session["expires_at"] <= context.now():
        raise ApiError(context.switches["dead-session"])
    return _as_member(context, project, session)


def check_origin(context: Context, headers: Mapping[str, str]) -> None:
    """Refuse a web page whose origin is not registered; raises `ApiError` 400."""
    origin = headers.get("origin")
    if origin and not is_trusted_origin(context, origin):
        raise ApiError("bad_domain_for_stytch_sdk")


def cross_origin_headers(context: Context, headers: Mapping[str, str], method: str) -> dict[str, str]:
    """CORS headers for a trusted page; the SDK sends credentials, so a wildcard is not enough.

    OPTIONS also names the API's methods, and the headers that the page asks for.
    """
    origin = headers.get("origin")
    if not origin or not is_trusted_origin(context, origin):
        return {}
    allowed = {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "retry-after",
        "vary": "Origin",
    }
    if method != "OPTIONS":
        return allowed
    requested = headers.get("access-control-request-headers", "authorization, content-type")
    return {
        **allowed,
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": requested,
        "access-control-max-age": "600",
    }


def is_trusted_origin(context: Context, origin: str) -> bool:
    """Whether `origin` is loopback or listed in the settings."""
    _, host = scheme_and_host(origin)
    return is_loopback(host) or origin in context.settings.trusted_origins


def _basic(headers: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise ApiError("unauthorized_credentials")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError("unauthorized_credentials") from None
    name, colon, password = decoded.partition(":")
    if not colon:
        raise ApiError("unauthorized_credentials")
    return name, password


def _check_formats(project_id: str, secret: str) -> None:
    project_environment, secret_environment = environment_of(project_id), environment_of(secret)
    if not project_id.startswith("project-") or project_environment is None:
        raise ApiError("invalid_project_id_authentication")
    if not secret.startswith("secret-") or secret_environment is None:
        raise ApiError("invalid_secret_authentication")
    if project_environment != secret_environment:
        raise ApiError(f"unauthorized_project_id_{project_environment}")


def _check_environment(context: Context, key: str) -> None:
    served, environment = context.settings.environment, environment_of(key)
    if served is not None and environment is not None and served != environment:
        raise ApiError(f"wrong_stack_{environment}")


def _session_of_headers(context: Context, headers: Mapping[str, str]) -> JsonObject | None:
    token, jwt = headers.get(_SESSION_HEADER), headers.get(_SESSION_JWT_HEADER)
    if not token and not jwt:
        return None
    column, value = ("session_token", token) if token else ("session_jwt", jwt)
    if value is None or not _TOKEN.fullmatch(value):
        raise ApiError("invalid_session_token")
    session = next(context.state.where("sessions", column, value), None)
    expiry = "expires_at" if token else "jwt_expires_at"
    if session is None or session[expiry] <= context.now():
        raise ApiError("session_not_found")
    return session


def _as_member(context: Context, project: JsonObject, session: JsonObject) -> Caller:
    member = context.state.get("members", session["member_id"])
    organization = member and context.state.get("organizations", member["organization_id"])
    if not organization or organization["project_id"] != project["project_id"]:
        raise ApiError("session_not_found")
    return Caller(project, member, session)


def authorize(operation: Operation, caller: Caller, organization: JsonObject | None) -> None:
    """Refuse what the member of `caller` may not do; project credentials may do everything.

    Raises:
        ApiError: 403, for another organization or for a missing permission.
    """
    if caller.member is None:
        return
    if organization is not None and caller.member["organization_id"] != organization["organization_id"]:
        tenancy = "" if operation.frontend else "tenancy_"
        raise ApiError(f"session_authorization_{tenancy}error")
    if operation.permission is not None and not permits(caller, operation.permission):
        raise ApiError("session_authorization_error")


def authorize_settings(caller: Caller, actions: set[str]) -> None:
    """Refuse a member who lacks one of `actions` on the organization; raises `ApiError` 403."""
    granted = _actions(caller, "stytch.organization") if caller.member is not None else {"*"}
    if "*" not in granted and not actions <= granted:
        raise ApiError("session_authorization_error")


def permits(caller: Caller, action: str) -> bool:
    """Whether the member's roles grant `action` on SSO connections."""
    return not {action, "*"}.isdisjoint(_actions(caller, "stytch.sso"))


def policy_of(project: JsonObject) -> JsonObject:
    """The role table in the format that the SDKs read."""
    table = _table(project)
    actions: dict[str, set[str]] = {}
    for resources in table.values():
        for resource, granted in resources.items():
            actions.setdefault(resource, set()).update(set(granted) - {"*"})
    return {
        "roles": [
            {
                "role_id": role,
                "description": "",
                "permissions": [
                    {"resource_id": resource, "actions": list(granted)}
                    for resource, granted in resources.items()
                ],
            }
            for role, resources in table.items()
        ],
        "resources": [
            {"resource_id": resource, "description": "", "actions": sorted(names)}
            for resource, names in actions.items()
        ],
        "scopes": [],
    }


def _table(project: JsonObject) -> dict[str, Mapping[str, Iterable[str]]]:
    return {**_DEFAULT_ROLES, **project.get("roles", {})}


def _actions(caller: Caller, resource: str) -> set[str]:
    table = _table(caller.project)
    member_roles = (caller.member or {}).get("roles", [])
    granted = {"stytch_member", *member_roles}
    return {action for role in granted for action in table.get(role, {}).get(resource, ())}
