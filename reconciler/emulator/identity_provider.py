"""The built-in identity provider: endpoints of its tenants, under `/idp/{tenant}`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlencode

from reconciler.emulator.request import PlainRoute, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import Request

    Answer = Callable[[Context, Request, JsonObject], Response]

_PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
}
_NO_STORE = {"cache_control": "no-store"}

# public RSA keys; nothing is signed, so the private keys were discarded
_MODULI = (
    (
        "lN2za60tmPWCMxRMThY7yhcrbRIzDHid2HOivI9Fq3hK4jVeKvLOU6bry2OaIvp_juQfZXtJz6Px8DlysqV8m9"
        "NKXNIIqOmmVlb6zgCXPfZueAG6_1xwe3-NQnGs3qCmnxCrPRI0PPqtnmlK8sIP0zU-f5-LljGAodTCjzYrnJLt"
        "6LEOAHqn0DarRsF-SoVyDaqjcgLc43ghOYJ7uYAkao4koR9MyYyQr1QgrUi0i0ytmJFJ69KVCbRyMk_JtK4BME"
        "ffvdZOkZCi3dnSsWjVRkjhX5UdAsqMyKUX5ytUC2xCdYYcXJHPPbXw8AVavcf2-Tj_biYciV3Cl7BCrrgVWw"
    ),
    (
        "nnskzGolpTBDne6-YrCV8twlqHIAtIX77b6FyyhdHo0LsK5iFFjwhVbvjOy2QfsUxTHJN8VWBiyh4fpGN33gMn"
        "KdmtCjEd4EVc4pkEir8LIJHL6LlQ8-y7fxtwjgz2rPzvN9C_2_xNCdMYxBKPKrhDBkUhhc4tvtCFy4uTzdnIIF"
        "4EiNXk8a6oY6RA4oo0wZwnilxxNjFgO2Y73DqGZ6De-PRvqp2sXv8k14txblWWUyd0255Bd6v_8DZV5uBwxa8Q"
        "adzOA2y7HwxP2XlvNiBR1Qi28jzG55oU1gQElDzh3P3w3nGIkVzvtrr-E4j8C17VQQCNgYs07Ae8hJWPTO1w"
    ),
)

_KEYS: tuple[dict[str, str], ...] = tuple(
    {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": f"key-{number}", "n": modulus, "e": "AQAB"}
    for number, modulus in enumerate(_MODULI, start=1)
)


def tenant_metadata(context: Context, name: str, base_url: str) -> JsonObject | None:
    """The discovery document of tenant `name`, None if there is no such tenant.

    The tenant's own `metadata` overrides the usual document; a null in it removes a key.
    """
    tenant = context.state.get("tenants", name)
    if tenant is None:
        return None
    issuer = f"{base_url}/idp/{name}"
    document: JsonObject = {
        "issuer": issuer,
        **{endpoint: issuer + path for endpoint, path in _PATHS.items()},
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "groups"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "claims_supported": ["sub", "email", "email_verified", "name", "given_name", "family_name", "groups"],
    }
    document |= tenant.get("metadata") or {}
    return {name: value for name, value in document.items() if value is not None}


def _discovery(context: Context, request: Request, _tenant: JsonObject) -> Response:
    return json_response(200, tenant_metadata(context, request.path_params["tenant"], request.base_url))


def _jwks(_context: Context, _request: Request, tenant: JsonObject) -> Response:
    keys = tenant.get("keys")
    return json_response(200, {"keys": list(_KEYS) if keys is None else keys})


def _authorize(_context: Context, request: Request, tenant: JsonObject) -> Response:
    """Nobody can sign in here: known clients are redirected with access_denied."""
    query = request.query
    if not query.get("client_id") or not _knows_client(tenant, query["client_id"]):
        return json_response(400, _oauth_error("invalid_client", "the client_id is not registered"))
    if not query.get("redirect_uri", "").startswith(("https://", "http://")):
        return json_response(400, _oauth_error("invalid_request", "the redirect_uri is missing or malformed"))
    error = "access_denied" if query.get("response_type") == "code" else "unsupported_response_type"
    parameters = urlencode({"error": error, "state": query.get("state", "")})
    return Response(302, b"", "text/plain", {"location": f"{query['redirect_uri']}?{parameters}"})


def _token(_context: Context, request: Request, tenant: JsonObject) -> Response:
    """RFC 6749, section 5.2: check the client, then the grant; every grant is refused."""
    form = {name: values[-1] for name, values in parse_qs(request.content.decode(errors="replace")).items()}
    request.progress.body = form
    client_id, secret = _client(request, form)
    if not client_id or not secret or not _knows_client(tenant, client_id, secret):
        document = _oauth_error("invalid_client", "client authentication failed")
        return json_response(401, document, www_authenticate='Basic realm="idp"', **_NO_STORE)
    return json_response(400, _refused_grant(form), **_NO_STORE)


def _userinfo(_context: Context, _request: Request, _tenant: JsonObject) -> Response:
    document = _oauth_error("invalid_token", "the access token is not valid")
    return json_response(401, document, www_authenticate='Bearer error="invalid_token"')


def _oauth_error(error: str, description: str) -> JsonObject:
    return {"error": error, "error_description": description}


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client_id), unquote(secret)


def _knows_client(tenant: JsonObject, client_id: str, secret: str | None = None) -> bool:
    """A tenant without registered clients accepts every client."""
    clients = tenant.get("clients")
    if clients is None:
        return True
    return client_id in clients and (secret is None or clients[client_id] == secret)


def _refused_grant(form: dict[str, str]) -> JsonObject:
    grant = form.get("grant_type")
    needed = {"authorization_code": "code", "refresh_token": "refresh_token"}
    if not grant:
        return _oauth_error("invalid_request", "the grant_type is missing")
    if grant not in needed:
        return _oauth_error("unsupported_grant_type", "the grant_type is not supported")
    if not form.get(needed[grant]):
        return _oauth_error("invalid_request", f"the {needed[grant]} is missing")
    return _oauth_error("invalid_grant", "the grant is invalid, expired or revoked")


def _route(name: str, method: str, path: str, answer: Answer) -> PlainRoute:
    async def handle(context: Context, request: Request) -> Response:
        tenant = context.state.get("tenants", request.path_params["tenant"])
        if tenant is None:
            return json_response(404, _oauth_error("not_found", "there is no such tenant"))
        return answer(context, request, tenant)

    return PlainRoute(f"idp-{name}", method, f"/idp/{{tenant}}/{path}", handle)


IDENTITY_PROVIDER_ROUTES = (
    _route("discovery", "GET", ".well-known/openid-configuration", _discovery),
    _route("jwks", "GET", "jwks", _jwks),
    _route("authorize", "GET", "authorize", _authorize),
    _route("token", "POST", "token", _token),
    _route("userinfo", "GET", "userinfo", _userinfo),
    _route("userinfo", "POST", "userinfo", _userinfo),
)
