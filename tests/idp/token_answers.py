"""What the token endpoints of vendors answer to a code that was never issued, and what it shows."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from tests.idp.provider import answer, redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.idp.provider import Request, Script

SECRET: Final = "s3cr3t-of-acme"


def credentials(request: Request) -> tuple[str, str, str]:
    """Return the method, client_id and secret of a request."""
    if "client_secret" in request.form:
        return "post", request.form["client_id"], request.form["client_secret"]
    (line,) = [line for line in request.head.split("\r\n") if line.lower().startswith("authorization:")]
    user, _, password = base64.b64decode(line.rpartition(" ")[2]).decode().partition(":")
    return "basic", unquote_plus(user), unquote_plus(password)


def checks(
    secret: str = SECRET, *, right: Script, wrong: Script, methods: tuple[str, ...] = ("basic", "post")
) -> Script:
    """Return a token endpoint that tells right from wrong secrets, sent by one of its methods."""

    def script(request: Request) -> Iterator[bytes]:
        method, _, sent = credentials(request)
        yield from (right if sent == secret and method in methods else wrong)(request)

    return script


def error(name: str, description: str = "", status: int = 400) -> Script:
    return answer(status, {"error": name, "error_description": description})


INVALID_GRANT: Final = error("invalid_grant", "grant request is invalid")
INVALID_CLIENT: Final = error("invalid_client", "client authentication failed", 401)
OKTA: Final = error("invalid_client", "The client secret supplied for a confidential client is invalid.", 401)
ENTRA_WRONG: Final = error(
    "invalid_client",
    "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client"
    " secret value, not the client secret ID.",
    401,
)
ENTRA_EXPIRED: Final = error(
    "invalid_client", "AADSTS7000222: The provided client secret keys for app 'x' are expired.", 401
)
ENTRA_MALFORMED: Final = error("invalid_grant", "AADSTS9002313: Invalid request. Request is malformed.")
ADFS: Final = "MSIS9622: Client authentication failed. Please verify the credential."
GOOGLE: Final = error("invalid_grant", "Malformed auth code.")
KEYCLOAK: Final = error("invalid_grant", "Code not valid")
KEYCLOAK_WRONG: Final = error("unauthorized_client", "Invalid client or Invalid client credentials", 401)
HTML: Final = b"<html>invalid_client AADSTS7000215"

VENDORS: Final[dict[str, tuple[Script, list[str], int]]] = {
    "right": (checks(right=INVALID_GRANT, wrong=INVALID_CLIENT), [], 2),
    "right, by post only": (checks(right=INVALID_GRANT, wrong=INVALID_CLIENT, methods=("post",)), [], 3),
    "Okta, wrong": (OKTA, ["secret-wrong"], 2),
    "Okta, right": (checks(right=INVALID_GRANT, wrong=OKTA), [], 2),
    "ADFS, wrong": (error("invalid_client", ADFS), ["secret-wrong"], 1),
    "ADFS, client unknown": (error("invalid_client", "MSIS9607: No client."), ["secret-wrong"], 1),
    "ADFS, wrong, as invalid_grant": (error("invalid_grant", ADFS), ["secret-wrong"], 1),
    "ADFS, right": (checks(right=INVALID_GRANT, wrong=error("invalid_grant", ADFS)), [], 2),
    "Entra, wrong": (ENTRA_WRONG, ["secret-wrong"], 1),
    "Entra, expired": (ENTRA_EXPIRED, ["secret-expired"], 1),
    "Entra, right": (checks(right=ENTRA_MALFORMED, wrong=ENTRA_WRONG), [], 2),
    "Entra, code first": (ENTRA_MALFORMED, ["probe-inconclusive"], 2),
    "Google, right": (checks(right=GOOGLE, wrong=INVALID_CLIENT), [], 2),
    "Google, code first": (GOOGLE, ["probe-inconclusive"], 2),
    "Keycloak, right": (checks(right=KEYCLOAK, wrong=INVALID_CLIENT), [], 2),
    "Keycloak 20, right": (checks(right=KEYCLOAK, wrong=KEYCLOAK_WRONG), [], 2),
    "Keycloak 20, wrong": (KEYCLOAK_WRONG, ["secret-wrong"], 2),
    "a client without the code grant": (error("unauthorized_client"), ["probe-inconclusive"], 1),
    "better-auth checks the code first": (error("invalid_grant"), ["probe-inconclusive"], 2),
    "Zitadel": (error("invalid_request", "Errors.App.OIDC"), ["probe-inconclusive"], 1),
    "oauth2-mock-server": (answer(200, {"access_token": "t0ken"}), ["probe-inconclusive"], 1),
    "oidc-provider, expired": (
        error("invalid_client", "could not authenticate the client - its client secret is expired"),
        ["secret-expired"],
        1,
    ),
    "an expired code is no expired secret": (
        checks(right=error("invalid_grant", "the secret code has expired"), wrong=INVALID_CLIENT), [], 2
    ),
    "a page": (answer(400, HTML), ["probe-inconclusive"], 1),
    "a page of a success": (answer(200, HTML), ["probe-inconclusive"], 1),
    "JSON, but no object": (answer(400, ["invalid_client"]), ["probe-inconclusive"], 1),
    "429": (error("invalid_client", status=429), ["probe-inconclusive"], 1),
    "500": (error("invalid_client", status=500), ["probe-inconclusive"], 1),
    "a redirect": (redirect("/token2"), ["probe-inconclusive"], 1),
    "an unknown error": (error("go_away"), ["probe-inconclusive"], 1),
    "the control is refused with 500": (
        checks(right=INVALID_GRANT, wrong=error("invalid_client", status=500)), ["probe-inconclusive"], 2
    ),
}  # fmt: skip
