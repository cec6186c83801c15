"""The built-in identity provider: endpoints of its tenants, under `/idp/{tenant}`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import unquote

from reconciler.emulator.request import PlainRoute, json_response
from reconciler.emulator.sign_in import (
    NO_STORE,
    authorize,
    form_of,
    oauth_error,
    public_signing_key,
    redeem,
    userinfo,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import Request, Response

    Answer = Callable[[Context, Request, JsonObject], Response]

_PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
}

# the key before the last rotation; its private key was discarded
_FORMER_KEY = {
    "kty": "RSA",
    "use": "sig",
    "alg": "RS256",
    "kid": "key-1",
    "n": (
        "lN2za60tmPWCMxRMThY7yhcrbRIzDHid2HOivI9Fq3hK4jVeKvLOU6bry2OaIvp_juQfZXtJz6Px8DlysqV8m9"
        "NKXNIIqOmmVlb6zgCXPfZueAG6_1xwe3-NQnGs3qCmnxCrPRI0PPqtnmlK8sIP0zU-f5-LljGAodTCjzYrnJLt"
        "6LEOAHqn0DarRsF-SoVyDaqjcgLc43ghOYJ7uYAkao4koR9MyYyQr1QgrUi0i0ytmJFJ69KVCbRyMk_JtK4BME"
        "ffvdZOkZCi3dnSsWjVRkjhX5UdAsqMyKUX5ytUC2xCdYYcXJHPPbXw8AVavcf2-Tj_biYciV3Cl7BCrrgVWw"
    ),
    "e": "AQAB",
}


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
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
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
    return json_response(200, {"keys": [_FORMER_KEY, public_signing_key()] if keys is None else keys})


def _authorize(context: Context, request: Request, tenant: JsonObject) -> Response:
    """An unknown client or redirect_uri is told to the user, and never redirected to."""
    query = request.query
    if not query.get("client_id") or not _knows_client(tenant, query["client_id"]):
        return json_response(400, oauth_error("invalid_client", "the client_id is not registered"))
    redirect_uri, registered = query.get("redirect_uri", ""), tenant.get("redirect_uris")
    if not redirect_uri.startswith(("https://", "http://")):
        return json_response(400, oauth_error("invalid_request", "the redirect_uri is missing or malformed"))
    if registered is not None and redirect_uri not in registered:
        return json_response(400, oauth_error("invalid_redirect_uri", "the redirect_uri is not registered"))
    return authorize(context, request, tenant, _issuer(context, request))


def _token(context: Context, request: Request, tenant: JsonObject) -> Response:
    """RFC 6749, section 5.2: check the client, then the grant; only a code is ever accepted."""
    form = form_of(request)
    client_id, secret = _client(request, form)
    if client_id and secret and secret in tenant.get("expired_secrets", ()):
        return json_response(400, oauth_error("invalid_client", "the client secret is expired"), **NO_STORE)
    if not client_id or not secret or not _knows_client(tenant, client_id, secret):
        document = oauth_error("invalid_client", "client authentication failed")
        return json_response(401, document, www_authenticate='Basic realm="idp"', **NO_STORE)
    if form.get("grant_type") == "authorization_code":
        tokens = redeem(context, tenant, client_id, form, _issuer(context, request))
        if tokens is not None:
            return json_response(200, tokens, **NO_STORE)
    return json_response(400, _refused_grant(form), **NO_STORE)


def _issuer(context: Context, request: Request) -> str:
    document = tenant_metadata(context, request.path_params["tenant"], request.base_url) or {}
    return str(document.get("issuer", ""))


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
    if client_id not in clients:
        return False
    valid = clients[client_id]
    return secret is None or secret in (valid if isinstance(valid, list) else [valid])


def _refused_grant(form: dict[str, str]) -> JsonObject:
    grant = form.get("grant_type")
    needed = {"authorization_code": "code", "refresh_token": "refresh_token"}
    if not grant:
        return oauth_error("invalid_request", "the grant_type is missing")
    if grant not in needed:
        return oauth_error("unsupported_grant_type", "the grant_type is not supported")
    if not form.get(needed[grant]):
        return oauth_error("invalid_request", f"the {needed[grant]} is missing")
    return oauth_error("invalid_grant", "the grant is invalid, expired or revoked")


def _route(name: str, method: str, path: str, answer: Answer) -> PlainRoute:
    async def handle(context: Context, request: Request) -> Response:
        tenant = context.state.get("tenants", request.path_params["tenant"])
        if tenant is None:
            return json_response(404, oauth_error("not_found", "there is no such tenant"))
        return answer(context, request, tenant)

    return PlainRoute(f"idp-{name}", method, f"/idp/{{tenant}}/{path}", handle)


IDENTITY_PROVIDER_ROUTES = (
    _route("discovery", "GET", ".well-known/openid-configuration", _discovery),
    _route("jwks", "GET", "jwks", _jwks),
    _route("authorize", "GET", "authorize", _authorize),
    _route("authorize", "POST", "authorize", _authorize),
    _route("token", "POST", "token", _token),
    _route("userinfo", "GET", "userinfo", userinfo),
    _route("userinfo", "POST", "userinfo", userinfo),
)
