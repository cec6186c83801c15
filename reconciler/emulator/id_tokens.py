"""Completes a login: exchanges the code, verifies the ID token, and reads the claims."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import jwt

from reconciler.emulator.fetching import Answer, ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject

# neither "none" nor HS256 and its relatives, whose key everybody knows or the client secret is
_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
_LEEWAY = 60.0
_REQUIRED = ("iss", "sub", "aud", "exp", "iat")
_LONGEST = 200


class LoginError(Exception):
    """A login that fails; the message names the reason, and no secret."""


async def claims_of(context: Context, connection: JsonObject, code: str, flow: JsonObject) -> JsonObject:
    """The claims about the user who signed in; raises `LoginError`."""
    tokens = await _tokens(context, connection, code, flow)
    claims = await _verified(context, connection, tokens.get("id_token"), flow["nonce"])
    return {**await _userinfo(context, connection, tokens.get("access_token"), claims["sub"]), **claims}


def shortened(text: object) -> str:
    """`text` from an identity provider, fit for a message: printable and not too long."""
    printable = "".join(character for character in str(text) if character.isprintable())
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}…"


async def _tokens(context: Context, connection: JsonObject, code: str, flow: JsonObject) -> JsonObject:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": connection["redirect_url"]}
    if flow["verifier"]:
        form["code_verifier"] = flow["verifier"]
    headers = {}
    client_id, client_secret = connection["client_id"], connection["client_secret"]
    if context.switches["client-authentication"] == "basic":
        headers["authorization"] = _basic(client_id, client_secret)
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    answer = await _asked(context, connection, "token_url", headers, form)
    document = _document("token_url", answer)
    if answer.status != HTTPStatus.OK:
        error = shortened(document.get("error", "no error named"))
        raise LoginError(f"the token_url answered {answer.status}: {error}")
    return document


def _basic(client_id: str, client_secret: str) -> str:
    """RFC 6749, section 2.3.1: both are form-encoded first."""
    return (
        "Basic " + b64encode(f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}".encode()).decode()
    )


async def _verified(context: Context, connection: JsonObject, token: object, nonce: str) -> JsonObject:
    if not isinstance(token, str):
        raise LoginError("the token_url answered without an id_token")
    claims = _signed_claims(token, await _document_at(context, connection, "jwks_url"))
    _check_claims(claims, connection, nonce, context.now())
    return claims


def _signed_claims(token: str, key_set: JsonObject) -> JsonObject:
    """The claims of `token`, if one of the keys has signed it."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise LoginError("the id_token is no JSON Web Token") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in _ALGORITHMS:
        raise LoginError(f"the id_token is signed with {shortened(algorithm)}, which is not accepted")
    keys = key_set.get("keys")
    usable = [key for key in keys if _may_verify(key, key_id)] if isinstance(keys, list) else []
    if not usable:
        raise LoginError(f"the jwks_url has no key {shortened(key_id)}, which signed the id_token")
    for key in usable:
        try:
            payload = jwt.PyJWS().decode(token, jwt.PyJWK(key, algorithm).key, algorithms=[algorithm])
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        return _claims_in(payload)
    raise LoginError("the signature of the id_token is not of a key at the jwks_url")


def _claims_in(payload: bytes) -> JsonObject:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise LoginError("the id_token holds no JSON object")
    return claims


def _may_verify(key: object, key_id: object) -> bool:
    """Whether `key` is public, for signatures, and the one that the token names, if it names one."""
    if not isinstance(key, dict) or key.get("kty") == "oct" or key.get("use", "sig") != "sig":
        return False
    return key_id is None or key.get("kid") == key_id


def _check_claims(claims: JsonObject, connection: JsonObject, nonce: str, now: float) -> None:
    missing = [name for name in _REQUIRED if not claims.get(name)]
    if missing:
        raise LoginError(f"the id_token has no {missing[0]}")
    if not isinstance(claims["sub"], str):
        raise LoginError("sub of the id_token is no text")
    if claims["iss"] != connection["issuer"]:
        raise LoginError(f"iss of the id_token is {shortened(claims['iss'])}, not {connection['issuer']}")
    _check_audience(claims, connection["client_id"])
    _check_times(claims, now)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise LoginError("the nonce of the id_token is not the one that was sent")


def _check_audience(claims: JsonObject, client_id: str) -> None:
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if client_id not in audience:
        raise LoginError("aud of the id_token does not have the client_id")
    if claims.get("azp", client_id) != client_id or (len(audience) > 1 and "azp" not in claims):
        raise LoginError("azp of the id_token is not the client_id")


def _check_times(claims: JsonObject, now: float) -> None:
    expires_at, issued_at = claims["exp"], claims["iat"]
    if not isinstance(expires_at, int | float) or not isinstance(issued_at, int | float):
        raise LoginError("exp or iat of the id_token is not a number")
    if expires_at + _LEEWAY <= now:
        raise LoginError("the id_token has expired")
    if issued_at - _LEEWAY > now:
        raise LoginError("the id_token is from the future")


async def _userinfo(context: Context, connection: JsonObject, token: object, subject: str) -> JsonObject:
    """The claims at the userinfo_url; the switch `login-userinfo` may excuse that there are none."""
    try:
        document = await _document_at(
            context, connection, "userinfo_url", {"authorization": f"Bearer {token}"}
        )
    except LoginError:
        if context.switches["login-userinfo"] == "required":
            raise
        return {}
    if document.get("sub") != subject:
        raise LoginError("sub at the userinfo_url is not the one of the id_token")
    return document


async def _document_at(
    context: Context, connection: JsonObject, field: str, headers: Mapping[str, str] | None = None
) -> JsonObject:
    """The JSON object at a URL of the connection."""
    answer = await _asked(context, connection, field, headers or {})
    if answer.status != HTTPStatus.OK:
        raise LoginError(f"the {field} answered {answer.status}")
    return _document(field, answer)


async def _asked(
    context: Context,
    connection: JsonObject,
    field: str,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
) -> Answer:
    """POST a form, or GET."""
    method = "GET" if form is None else "POST"
    try:
        return await ask(context, method, connection[field], headers=headers, form=form)
    except (OSError, ValueError) as error:
        raise LoginError(f"the {field} did not answer: {shortened(error)}") from error


def _document(field: str, answer: Answer) -> JsonObject:
    try:
        return answer.json_object()
    except ValueError:
        raise LoginError(f"the {field} answered {answer.status} without a JSON object") from None
