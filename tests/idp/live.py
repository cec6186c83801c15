"""Declares a connection at an identity provider, and brings it to life with the same values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.workplace import Workplace

URLS = {
    "authorization_url": "authorize",
    "token_url": "token",
    "userinfo_url": "userinfo",
    "jwks_url": "keys",
}
NEVER_LIVE = frozenset({"discovery", "secret_expires_on", "state"})


def connect(
    place: Workplace, slug: str, issuer: str, *, live: dict[str, Any] | None = None, **declared: Any
) -> dict[str, Any]:
    """Add a live connection, declared as `slug/sso`; return it as it is live.

    What is declared is live too; ``live`` are wire fields beside it, which nobody declares.
    """
    fields: dict[str, Any] = {
        "display_name": "sso",
        "identity_provider": "generic",
        "issuer": issuer,
        "client_id": f"client-of-{slug}",
        "client_secret": f"s3cr3t-of-{slug}",
        **{name: f"{issuer}/{path}" for name, path in URLS.items()},
        **{name: value for name, value in declared.items() if name not in NEVER_LIVE},
        **(live or {}),
    }
    scopes = fields.get("custom_scopes")
    if isinstance(scopes, list):
        fields["custom_scopes"] = " ".join(scopes)
    place.declare(slug, issuer=issuer, **declared)
    return place.emulator.add_connection(slug, **fields)
