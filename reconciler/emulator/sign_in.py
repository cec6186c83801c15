"""The built-in identity provider signs a user in: login page, codes, tokens and claims."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.emulator.request import Response, json_response
from reconciler.emulator.tickets import matches_challenge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import Request

SIGNING_KEY_ID = "key-2"
NO_STORE = {"cache-control": "no-store"}
_KEY_BITS, _EXPONENT = 2048, 65_537
_CODE_SECONDS, _TOKEN_SECONDS = 60.0, 300.0
_CODE, _ACCESS_TOKEN = "code", "access token"
# scope: the claims that it grants
_SCOPES: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "given_name", "family_name"),
    "email": ("email", "email_verified"),
    "groups": ("groups",),
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head>
<body><h1>Sign in to {tenant}</h1><p role="alert">{message}</p>
<form method="post">
<p><label>User name <input name="username" value="{hint}" autofocus></label></p>
<p><label>Password <input name="password" type="password"></label></p>
<p><button>Sign in</button></p>
</form></body></html>
"""


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    """The private key of this process; it is never stored."""
    return rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_KEY_BITS)


def public_signing_key() -> dict[str, str]:
    """The key that verifies the tokens, as a JWK."""
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_signing_key().public_key()))
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": SIGNING_KEY_ID,
        "n": public["n"],
        "e": public["e"],
    }


def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; of a repeated one, the last value. The request log keeps them, redacted."""
    fields = parse_qs(request.content.decode(errors="replace"))
    form = {name: values[-1] for name, values in fields.items()}
    request.progress.body = form
    return form


def oauth_error(error: str, description: str) -> JsonObject:
    """The body of an error of OAuth."""
    return {"error": error, "error_description": description}


def authorize(context: Context, request: Request, tenant: JsonObject, issuer: str) -> Response:
    """The login page, and the answer to its form: a redirect with a code, or the page again.

    The caller has checked the client and its redirect_uri.
    """
    query = request.query
    error = _request_error(query)
    if error:
        return _redirect(query, {"error": error, "iss": issuer})
    if request.method == "GET":
        return _page(tenant, "", query.get("login_hint", ""), 200)
    form = form_of(request)
    claims = _claims(tenant, form.get("username", ""), form.get("password", ""))
    if claims is None:
        return _page(tenant, "The user name or the password is wrong.", form.get("username", ""), 401)
    wanted = ("client_id", "redirect_uri", "scope", "nonce", "code_challenge")
    grant = {name: query.get(name, "") for name in wanted}
    signed_in = {"tenant": tenant["name"], "claims": claims, "auth_time": int(context.now())}
    code = context.tickets.issue(_CODE, {**grant, **signed_in}, _CODE_SECONDS)
    return _redirect(query, {"code": code, "iss": issuer})


def redeem(
    context: Context, tenant: JsonObject, client_id: str, form: Mapping[str, str], issuer: str
) -> JsonObject | None:
    """The tokens for the code in `form`; None if it is not valid for this client."""
    grant = context.tickets.take(_CODE, form.get("code"))
    if (
        grant is None
        or (grant["tenant"], grant["client_id"]) != (tenant["name"], client_id)
        or grant["redirect_uri"] != form.get("redirect_uri")
        or not matches_challenge(form.get("code_verifier"), grant["code_challenge"])
    ):
        return None
    access = {"tenant": tenant["name"], "claims": _granted_claims(grant)}
    return {
        "access_token": context.tickets.issue(_ACCESS_TOKEN, access, _TOKEN_SECONDS),
        "token_type": "Bearer",
        "expires_in": int(_TOKEN_SECONDS),
        "scope": grant["scope"],
        "id_token": _id_token(context, grant, issuer),
    }


def userinfo(context: Context, request: Request, tenant: JsonObject) -> Response:
    """The claims of the user whose access token is sent."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    access = context.tickets.look(_ACCESS_TOKEN, token) if scheme.lower() == "bearer" else None
    if access is None or access["tenant"] != tenant["name"]:
        document = oauth_error("invalid_token", "the access token is not valid")
        return json_response(401, document, www_authenticate='Bearer error="invalid_token"')
    return json_response(200, access["claims"], **NO_STORE)


def _request_error(query: Mapping[str, str]) -> str:
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in query.get("scope", "").split():
        return "invalid_scope"
    if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
        return "invalid_request"
    return "login_required" if query.get("prompt") == "none" else ""


def _redirect(query: Mapping[str, str], parameters: Mapping[str, str]) -> Response:
    target = query["redirect_uri"]
    sent = urlencode({**parameters, "state": query.get("state", "")})
    location = f"{target}{'&' if '?' in target else '?'}{sent}"
    return Response(302, b"", "text/plain", {"location": location, **NO_STORE})


def _page(tenant: JsonObject, message: str, hint: str, status: int) -> Response:
    page = _PAGE.format(tenant=escape(tenant["name"]), message=escape(message), hint=escape(hint))
    return Response(status, page.encode(errors="replace"), "text/html", NO_STORE)


def _claims(tenant: JsonObject, username: str, password: str) -> dict[str, Any] | None:
    """The claims of the user, None if the user or the password is unknown.

    A tenant without registered users accepts every name with every password.
    """
    users = tenant.get("users")
    if not username or not password:
        return None
    email = username if "@" in username else f"{username}@example.com"
    name = email.partition("@")[0].capitalize()
    defaults = {"sub": username, "email": email, "email_verified": True, "name": name, "given_name": name}
    if users is None:
        return defaults
    user = users.get(username)
    if user is None or user.get("password") != password:
        return None
    return defaults | {claim: value for claim, value in user.items() if claim != "password"}


def _granted_claims(grant: JsonObject) -> dict[str, Any]:
    scopes = grant["scope"].split()
    names = {"sub", *(name for scope in scopes for name in _SCOPES.get(scope, ()))}
    return {name: value for name, value in grant["claims"].items() if name in names}


def _id_token(context: Context, grant: JsonObject, issuer: str) -> str:
    now = int(context.now())
    claims = {
        "iss": issuer,
        "sub": grant["claims"]["sub"],
        "aud": grant["client_id"],
        "iat": now,
        "exp": now + int(_TOKEN_SECONDS),
        "auth_time": grant["auth_time"],
        **({"nonce": grant["nonce"]} if grant["nonce"] else {}),
    }
    return jwt.encode(claims, _signing_key(), algorithm="RS256", headers={"kid": SIGNING_KEY_ID})
