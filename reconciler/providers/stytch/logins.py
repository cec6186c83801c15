"""Logs a member in: the URL that starts a login, the exchange of its token, the end of its session."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from reconciler.http.json_fields import JsonObject
from reconciler.providers.base import MemberLogin
from reconciler.providers.stytch.call import write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.providers.stytch.client import Client

SESSION_MINUTES: Final = 5
"""The minimum (reference of Authenticate SSO)."""


def start_url(address: str, public_token: str, connection_id: str, redirect_url: str, verifier: str) -> str:
    """Return the URL at the API's ``address`` that starts a login; it holds no secret."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "connection_id": connection_id,
        "public_token": public_token,
        "login_redirect_url": redirect_url,
        "signup_redirect_url": redirect_url,
        "pkce_code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
    }
    return f"{address}/v1/public/sso/start?{urlencode(query)}"


async def authenticate(client: Client, token: str, verifier: str) -> MemberLogin:
    """Exchange a token for a session, as `reconciler.providers.base.LoginProvider` says."""
    body = {"sso_token": token, "pkce_code_verifier": verifier, "session_duration_minutes": SESSION_MINUTES}
    request = write("POST", "/v1/b2b/sso/authenticate", "token of the login", body)
    document = JsonObject(await client.send(request), str(request))
    member = document.child("member")
    return MemberLogin(
        organization_id=document.required_text("organization_id"),
        email_address=member.text("email_address"),
        claims={
            registration.text("connection_id"): tuple(sorted(registration.mapping("sso_attributes")))
            for registration in member.objects("sso_registrations")
        },
        connection_ids=tuple(_connection_ids(document.child("member_session"))),
        session_token=document.text("session_token"),
    )


async def revoke(client: Client, session_token: str) -> None:
    """End a session, as `reconciler.providers.base.LoginProvider` says."""
    body = {"session_token": session_token}
    await client.send(write("POST", "/v1/b2b/sessions/revoke", "revocation of the session", body))


def _connection_ids(session: JsonObject) -> Iterator[str]:
    for factor in session.objects("authentication_factors"):
        yield from filter(None, [factor.child("oidc_sso_factor").text("provider_id")])
