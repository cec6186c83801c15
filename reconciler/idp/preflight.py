"""Checks at the authorization endpoint whether a client and its redirect URL are registered.

The request is that of a login with ``prompt=none``, as the service would send it, without a user and without
a secret. The answer is not followed. A redirect to exactly our redirect URL with our state proves that the
client is registered with it, whatever error it carries (RFC 6749, section 4.1.2.1). Everything else proves
nothing, unless a 4xx answer names an OAuth error or a known code of a provider; prose never decides.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from reconciler.http.client import first_header
from reconciler.http.urls import parse_url
from reconciler.idp.guarded_fetch import Answer, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.connection import OidcConnection
    from reconciler.idp.guarded_fetch import GuardedFetcher

_DEFAULT_SCOPES: Final = ("openid", "email", "profile")
"""What the service asks for unless `custom_scopes` is set."""

_REFUSALS: Final = frozenset({"unsupported_response_type", "unauthorized_client"})

_REFUSAL_TEXTS: Final = frozenset({"requested response_type is not allowed for this client"})
"""The `error_description` of providers that call it `invalid_request` (oidc-provider), to the letter."""

_UNREGISTERED: Final = ("redirect_uri_mismatch", "invalid_redirect_uri", "AADSTS50011")
_UNKNOWN_CLIENT: Final = ("invalid_client", "invalid_client_id", "deleted_client", "AADSTS700016")
_NAMES: Final = re.compile(r"[A-Za-z0-9_]+")
_MOST_TEXT: Final = 64 * 1024
_REDIRECT: Final = range(300, 400)
_CLIENT_ERROR: Final = range(400, 500)
_TOO_MANY_REQUESTS: Final = 429


class Verdict(Enum):
    """What a preflight shows of the client."""

    REGISTERED = "registered"
    CLIENT_UNKNOWN = "client unknown"
    NOT_REGISTERED = "redirect URL not registered"
    REFUSED = "request refused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """The result. ``error`` is the OAuth error or code that decided, ``detail`` more about the response."""

    verdict: Verdict
    answer: Answer | NoAnswer
    error: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    url: str
    redirect_url: str
    state: str
    sent: tuple[str, ...]


async def run_preflight(
    connection: OidcConnection, authorization_url: str, fetcher: GuardedFetcher, make_token: Callable[[], str]
) -> Preflight:
    """Send the request of a login for a live connection; ``make_token`` returns random texts."""
    request = _request(connection, authorization_url, make_token)
    answer = await fetcher.get(request.url, follow=False)
    if isinstance(answer, NoAnswer):
        return Preflight(verdict=Verdict.INCONCLUSIVE, answer=answer, detail=answer.reason)
    return judge(answer, request)


def _request(connection: OidcConnection, authorization_url: str, make_token: Callable[[], str]) -> _Request:
    state, redirect_url = make_token(), connection.redirect_url or ""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(make_token().encode()).digest()).rstrip(b"=")
    parameters = {
        "response_type": "code",
        "client_id": connection.client_id or "",
        "redirect_uri": redirect_url,
        "scope": " ".join(connection.custom_scopes or _DEFAULT_SCOPES),
        "state": state,
        "nonce": make_token(),
        "prompt": "none",
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    sign = "&" if "?" in authorization_url else "?"
    return _Request(
        url=f"{authorization_url}{sign}{urlencode(parameters)}",
        redirect_url=redirect_url,
        state=state,
        sent=tuple(parameters.values()),
    )


def judge(answer: Answer, request: _Request) -> Preflight:
    """Return what an answer shows."""
    location = first_header(answer.headers, "Location") or ""
    if answer.status in _REDIRECT:
        query = dict(parse_qsl(parse_url(location).query))
        if _leads_back(location, query, request):
            return _judge_redirect(answer, query)
        return Preflight(verdict=Verdict.INCONCLUSIVE, answer=answer, detail="a redirect to another URL")
    if answer.status in _CLIENT_ERROR and answer.status != _TOO_MANY_REQUESTS:
        return _judge_error(answer, request)
    return Preflight(verdict=Verdict.INCONCLUSIVE, answer=answer, detail=f"status {answer.status}")


def _leads_back(location: str, query: dict[str, str], request: _Request) -> bool:
    """Tell whether a redirect leads to exactly our redirect URL, with our state."""
    parts, ours = parse_url(location), parse_url(request.redirect_url)
    kept = dict(parse_qsl(ours.query)).items() <= query.items()
    is_ours = (parts.scheme, parts.netloc, parts.path) == (ours.scheme, ours.netloc, ours.path)
    return is_ours and kept and query.get("state") == request.state


def _judge_redirect(answer: Answer, query: dict[str, str]) -> Preflight:
    error = query.get("error", "")
    is_refusal = error in _REFUSALS or query.get("error_description", "") in _REFUSAL_TEXTS
    verdict = Verdict.REFUSED if is_refusal else Verdict.REGISTERED
    return Preflight(verdict=verdict, answer=answer, error=error)


def _judge_error(answer: Answer, request: _Request) -> Preflight:
    """Judge a 4xx answer by the errors and codes that it names, other than in what we sent ourselves."""
    text = answer.body[:_MOST_TEXT].decode("utf-8", "replace")
    names = set(_NAMES.findall(text)) - {name for value in request.sent for name in _NAMES.findall(value)}
    unregistered = [name for name in _UNREGISTERED if name in names]
    unknown = [name for name in _UNKNOWN_CLIENT if name in names]
    if unregistered and not unknown:
        return Preflight(verdict=Verdict.NOT_REGISTERED, answer=answer, error=unregistered[0])
    if unknown and not unregistered:
        return Preflight(verdict=Verdict.CLIENT_UNKNOWN, answer=answer, error=unknown[0])
    return Preflight(verdict=Verdict.INCONCLUSIVE, answer=answer, detail=f"status {answer.status}")
