"""The built-in identity provider: the endpoints of its tenants, under `/idp/{tenant}`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlencode

from reconciler.emulator.answers import Answer, json_answer
from reconciler.emulator.exchange import PlainRoute
from reconciler.emulator.signing_keys import KEYS

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.exchange import Exchange

_PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
}
_NO_STORE = {"cache_control": "no-store"}


def tenant_metadata(context: Context, name: str, base_url: str) -> JsonObject | None:
    """The discovery document of tenant `name`, None when there is no such tenant.

    The tenant's own `metadata` is laid over the usual document; a null in it removes a key.
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


async def _discovery(context: Context, exchange: Exchange) -> Answer:
    document = tenant_metadata(context, exchange.path["tenant"], exchange.base_url)
    return _unknown_tenant() if document is None else json_answer(200, document)


async def _jwks(context: Context, exchange: Exchange) -> Answer:
    tenant = _tenant(context, exchange)
    if tenant is None:
        return _unknown_tenant()
    keys = tenant.get("keys")
    return json_answer(200, {"keys": list(KEYS) if keys is None else keys})


async def _authorize(context: Context, exchange: Exchange) -> Answer:
    """No one can log in here: known clients are sent back with access_denied."""
    tenant, query = _tenant(context, exchange), exchange.query
    if tenant is None:
        return _unknown_tenant()
    if not query.get("client_id") or not _knows_client(tenant, query["client_id"]):
        return json_answer(400, _oauth_error("invalid_client", "the client_id is not registered"))
    if not query.get("redirect_uri", "").startswith(("https://", "http://")):
        return json_answer(400, _oauth_error("invalid_request", "the redirect_uri is missing or malformed"))
    parameters = {"error": "access_denied", "state": query.get("state", "")}
    if query.get("response_type") != "code":
        parameters["error"] = "unsupported_response_type"
    location = f"{query['redirect_uri']}?{urlencode(parameters)}"
    return Answer(302, b"", "text/plain", {"location": location})


async def _token(context: Context, exchange: Exchange) -> Answer:
    """RFC 6749, section 5.2: the client first, then the grant; no grant is ever good."""
    tenant = _tenant(context, exchange)
    if tenant is None:
        return _unknown_tenant()
    form = {name: values[-1] for name, values in parse_qs(exchange.content.decode(errors="replace")).items()}
    exchange.body = form
    client_id, secret = _client(exchange, form)
    if not client_id or not secret or not _knows_client(tenant, client_id, secret):
        document = _oauth_error("invalid_client", "client authentication failed")
        return json_answer(401, document, www_authenticate='Basic realm="idp"', **_NO_STORE)
    return json_answer(400, _refused_grant(form), **_NO_STORE)


async def _userinfo(context: Context, exchange: Exchange) -> Answer:
    if _tenant(context, exchange) is None:
        return _unknown_tenant()
    document = _oauth_error("invalid_token", "the access token is not valid")
    return json_answer(401, document, www_authenticate='Bearer error="invalid_token"')


def _tenant(context: Context, exchange: Exchange) -> JsonObject | None:
    return context.state.get("tenants", exchange.path["tenant"])


def _unknown_tenant() -> Answer:
    return json_answer(404, _oauth_error("not_found", "there is no such tenant"))


def _oauth_error(error: str, description: str) -> JsonObject:
    return {"error": error, "error_description": description}


def _client(exchange: Exchange, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(client_id), unquote(secret)


def _knows_client(tenant: JsonObject, client_id: str, secret: str | None = None) -> bool:
    """A tenant without registered clients knows everyone."""
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


IDENTITY_PROVIDER_ROUTES = (
    PlainRoute("idp-discovery", "GET", "/idp/{tenant}/.well-known/openid-configuration", _discovery),
    PlainRoute("idp-jwks", "GET", "/idp/{tenant}/jwks", _jwks),
    PlainRoute("idp-authorize", "GET", "/idp/{tenant}/authorize", _authorize),
    PlainRoute("idp-token", "POST", "/idp/{tenant}/token", _token),
    PlainRoute("idp-userinfo", "GET", "/idp/{tenant}/userinfo", _userinfo),
    PlainRoute("idp-userinfo", "POST", "/idp/{tenant}/userinfo", _userinfo),
)
