"""The service as relying party: a login starts here, goes to the identity provider and comes back."""

from __future__ import annotations

import secrets
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode

from reconciler.emulator.access import is_trusted_origin
from reconciler.emulator.connection_fields import origin_of
from reconciler.emulator.connection_update import missing_field
from reconciler.emulator.connections import kind_of
from reconciler.emulator.defaults import CALLBACK_PATH
from reconciler.emulator.errors import ApiError
from reconciler.emulator.id_tokens import LoginError, claims_of, shortened
from reconciler.emulator.members import FINISHED_LOGIN, returning_member
from reconciler.emulator.organizations import find_organization
from reconciler.emulator.pipeline import error_response
from reconciler.emulator.request import PlainRoute, Response
from reconciler.emulator.tickets import code_challenge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import Request

_FLOW, _COOKIE = "login", "sso_state"
_FLOW_SECONDS, _SSO_TOKEN_SECONDS = 600, 300.0
_DEFAULT_SCOPES = "openid email profile"
_PROVIDER_PREFIX = "provider_"
_NO_STORE = {"cache-control": "no-store"}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Login failed</title></head>
<body><h1>Login failed</h1><p>{reason}.</p></body></html>
"""


async def _start(context: Context, request: Request) -> Response:
    """GET /v1/public/sso/start: send the browser to the identity provider of a connection."""
    try:
        project_id, connection = _connection(context, request.query)
        return _to_identity_provider(context, request, project_id, connection)
    except ApiError as error:
        return error_response(context, error, request)


def _connection(context: Context, query: Mapping[str, str]) -> tuple[str, JsonObject]:
    """The project, and its active connection `connection_id`, or the default one of `organization_id`."""
    project = next(context.state.where("projects", "public_token", query.get("public_token", "")), None)
    if project is None:
        raise ApiError("unauthorized_credentials")
    connection_id = query.get("connection_id")
    if not connection_id:
        reference = query.get("organization_id", "")
        organization = find_organization(context, project["project_id"], reference)
        connection_id = organization["sso_default_connection_id"] or ""
    connection = context.state.get("connections", connection_id)
    owner = connection and context.state.get("organizations", connection["organization_id"])
    if not connection or not owner or owner["project_id"] != project["project_id"]:
        raise ApiError("sso_connection_not_found")
    if owner.get("suspended"):
        raise ApiError("organization_suspended")
    if kind_of(connection["connection_id"]) != "oidc":
        raise ApiError("bad_request", "The emulator logs in through OIDC connections only.")
    missing = missing_field(context, connection)
    if missing:
        raise ApiError(f"oidc_connection_{missing}_required")
    return project["project_id"], connection


def _to_identity_provider(
    context: Context, request: Request, project_id: str, connection: JsonObject
) -> Response:
    query = request.query
    login = _own_address(context, query, "login_redirect_url")
    verifier = secrets.token_urlsafe(32) if context.switches["login-pkce"] == "S256" else ""
    flow = {
        "connection_id": connection["connection_id"],
        "project_id": project_id,
        "nonce": secrets.token_urlsafe(32),
        "verifier": verifier,
        "login_redirect_url": login,
        "signup_redirect_url": _own_address(context, query, "signup_redirect_url", login),
        "pkce_code_challenge": query.get("pkce_code_challenge", ""),
    }
    state = context.tickets.issue(_FLOW, flow, _FLOW_SECONDS)
    parameters = {**_wishes(query), **_authorization_request(connection, flow, state)}
    cookie = _cookie(request, connection, state, _FLOW_SECONDS)
    return _redirect(connection["authorization_url"], parameters, {"set-cookie": cookie})


def _wishes(query: Mapping[str, str]) -> dict[str, str]:
    """What the application passes on to the identity provider, such as `provider_login_hint`."""
    return {
        name.removeprefix(_PROVIDER_PREFIX): value
        for name, value in query.items()
        if name.startswith(_PROVIDER_PREFIX)
    }


def _authorization_request(connection: JsonObject, flow: JsonObject, state: str) -> dict[str, str]:
    parameters = {
        "response_type": "code",
        "client_id": connection["client_id"],
        "redirect_uri": connection["redirect_url"],
        "scope": unquote(connection.get("custom_scopes") or _DEFAULT_SCOPES),
        "state": state,
        "nonce": flow["nonce"],
    }
    if flow["verifier"]:
        challenge = code_challenge(flow["verifier"])
        parameters |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return parameters


def _own_address(context: Context, query: Mapping[str, str], name: str, default: str = "") -> str:
    """A URL of the application: on loopback, or at a trusted origin."""
    url = query.get(name) or default
    origin = origin_of(url)
    if not origin:
        raise ApiError("bad_request", f"{name} must be an http or https URL.")
    if not is_trusted_origin(context, origin):
        raise ApiError("bad_request", f"{name} is not registered; the emulator returns to loopback only.")
    return url


async def _callback(context: Context, request: Request) -> Response:
    """The connection's redirect_url: finish the login, and send the browser back to the application."""
    flow: JsonObject | None = None
    try:
        flow, connection = _flow(context, request)
        claims = await claims_of(context, connection, _code(request.query, connection), flow)
        member, is_new = returning_member(context, connection, claims)
    except LoginError as error:
        return _failure(context, flow, str(error))
    login = {
        "member_id": member["member_id"],
        "connection_id": connection["connection_id"],
        "project_id": flow["project_id"],
        "pkce_code_challenge": flow["pkce_code_challenge"],
    }
    token = context.tickets.issue(FINISHED_LOGIN, login, _SSO_TOKEN_SECONDS)
    target = flow["signup_redirect_url" if is_new else "login_redirect_url"]
    headers = {"set-cookie": _cookie(request, connection, "", 0)}
    return _redirect(target, {"stytch_token_type": "sso", "token": token}, headers)


def _flow(context: Context, request: Request) -> tuple[JsonObject, JsonObject]:
    """The login that this browser started, once, and its connection as it is now."""
    state, connection_id = request.query.get("state", ""), request.path_params["connection_id"]
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(request.headers.get("cookie", ""))
    except CookieError:
        raise LoginError("the state is not of a login that this browser started") from None
    ours = _COOKIE in cookies and secrets.compare_digest(cookies[_COOKIE].value.encode(), state.encode())
    flow = context.tickets.take(_FLOW, state) if ours else None
    connection = context.state.get("connections", connection_id)
    if flow is None or flow["connection_id"] != connection_id or connection is None:
        raise LoginError("the state is not of a login that this browser started, or it is used or too old")
    return flow, connection


def _code(query: Mapping[str, str], connection: JsonObject) -> str:
    """The code in the answer of the connection's identity provider (iss: RFC 9207)."""
    if query.get("iss", connection["issuer"]) != connection["issuer"]:
        raise LoginError(f"iss is {shortened(query['iss'])}, not {connection['issuer']}")
    if "error" in query:
        raise LoginError(f"the identity provider answered {shortened(query['error'])}")
    if not query.get("code"):
        raise LoginError("the identity provider sent no code")
    return query["code"]


def _failure(context: Context, flow: JsonObject | None, reason: str) -> Response:
    """Tell the browser, as the switch `failed-login` says; without a known login always with a page."""
    if flow is not None and context.switches["failed-login"] == "redirect":
        parameters = {"stytch_token_type": "sso", "error": "login_failed", "error_description": reason}
        return _redirect(flow["login_redirect_url"], parameters, {})
    page = _PAGE.format(reason=escape(reason)).encode(errors="replace")
    return Response(400, page, "text/html", _NO_STORE, "login_failed")


def _cookie(request: Request, connection: JsonObject, state: str, seconds: int) -> str:
    """Lax, since the identity provider's redirect comes from another site."""
    path = f"{CALLBACK_PATH}/{quote(connection['connection_id'])}"
    secure = "; Secure" if request.secure else ""
    return f"{_COOKIE}={state}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _redirect(url: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    location = f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
    return Response(302, b"", "text/plain", {"location": location, **_NO_STORE, **headers})


RELYING_PARTY_ROUTES = (
    PlainRoute("start-login", "GET", "/v1/public/sso/start", _start),
    PlainRoute("finish-login", "GET", f"{CALLBACK_PATH}/{{connection_id}}", _callback),
)
