"""Authenticates callers: credentials of either API, member sessions and web origins."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.emulator.context import environment_of, is_loopback
from reconciler.emulator.errors import ApiError
from reconciler.emulator.request import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

SESSION_HEADER = "x-stytch-member-session"
SESSION_JWT_HEADER = "x-stytch-member-sessionjwt"
_METHODS = "GET, POST, PUT, DELETE"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,4096}")


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
    if origin and not _is_trusted(context, origin):
        raise ApiError("bad_domain_for_stytch_sdk")


def cross_origin_headers(context: Context, headers: Mapping[str, str]) -> dict[str, str]:
    """CORS headers for a trusted page; the SDK sends credentials, so a wildcard is not enough."""
    origin = headers.get("origin")
    if not origin or not _is_trusted(context, origin):
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "retry-after",
        "vary": "Origin",
    }


def preflight_headers(context: Context, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of the response to OPTIONS: the API's methods, and the headers that the page asks for."""
    allowed = cross_origin_headers(context, headers)
    if not allowed:
        return {}
    requested = headers.get("access-control-request-headers", "authorization, content-type")
    return {
        **allowed,
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": requested,
        "access-control-max-age": "600",
    }


def _is_trusted(context: Context, origin: str) -> bool:
    """Whether `origin` is loopback or listed in the settings."""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
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
    token, jwt = headers.get(SESSION_HEADER), headers.get(SESSION_JWT_HEADER)
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
