"""The probe of a client secret at three OpenID providers of different authors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

REDIRECT_URL: Final = "https://login.example.com/callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A secret that is probed, what comes back, and the codes of the findings.

    ``client`` names a client of `CLIENTS`, or the method by which a client of the Python providers is
    registered; an unknown client has another name. ``secret`` replaces the right one.
    """

    provider: str
    what: str
    client: str
    secret: str = ""
    answers: tuple[str, ...]
    codes: tuple[str, ...] = ()


def client(client_id: str, secret: str | None, method: str, **fields: Any) -> dict[str, Any]:
    values = {
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uris": [REDIRECT_URL],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "token_endpoint_auth_method": method,
        **fields,
    }
    return {name: value for name, value in values.items() if value is not None}


CLIENTS: Final = {
    item["client_id"]: item
    for item in (
        client("basic", "a-secret: ~+/%=", "client_secret_basic"),
        client("post", "the-secret-of-post", "client_secret_post"),
        client("expired", "the-secret-of-old", "client_secret_basic", client_secret_expires_at=1_600_000_000),
        client(
            "no-code",
            "the-secret-of-no-code",
            "client_secret_basic",
            response_types=["id_token"],
            grant_types=["implicit"],
        ),
        client("public", None, "none"),
    )
}

_ACCEPTED: Final = ("basic: 400 invalid_grant", "basic: 401 invalid_client: accepted")
_ACCEPTED_BY_POST: Final = (
    "basic: 401 invalid_client",
    "post: 400 invalid_grant",
    "post: 401 invalid_client: accepted",
)
_WRONG: Final = ("basic: 401 invalid_client", "post: 401 invalid_client: wrong")
_UNKNOWN: Final = {
    "authlib": ("basic: 401 invalid_client", "post: 400 invalid_client: wrong"),
    "pyop": _WRONG,
}

AT_OIDC_PROVIDER: Final = tuple(
    Probe(provider="oidc-provider", what=what, client=name, secret=secret, answers=answers, codes=codes)
    for what, name, secret, answers, codes in (
        ("right", "basic", "", _ACCEPTED, ()),
        ("right, registered for client_secret_post", "post", "", _ACCEPTED, ()),
        ("wrong", "basic", "another-secret", _WRONG, ("secret-wrong",)),
        ("expired", "expired", "", ("basic: 400 invalid_client: expired",), ("secret-expired",)),
        ("of an unknown client", "nobody", "another-secret", _WRONG, ("secret-wrong",)),
        ("of a public client", "public", "another-secret", _WRONG, ("secret-wrong",)),
        (
            "of a client without the code grant",
            "no-code",
            "",
            ("basic: 400 invalid_request: inconclusive",),
            ("probe-inconclusive",),
        ),
    )
)
AT_PYTHON: Final = tuple(
    Probe(provider=provider, what=what, client=name, secret=secret, answers=answers, codes=codes)
    for provider in ("authlib", "pyop")
    for what, name, secret, answers, codes in (
        ("right", "client_secret_basic", "", _ACCEPTED, ()),
        ("right, registered for client_secret_post", "client_secret_post", "", _ACCEPTED_BY_POST, ()),
        ("wrong", "client_secret_basic", "another-secret", _WRONG, ("secret-wrong",)),
        ("of an unknown client", "nobody", "another-secret", _UNKNOWN[provider], ("secret-wrong",)),
    )
)
PROBES: Final = (*AT_OIDC_PROVIDER, *AT_PYTHON)
