"""The built-in identity provider: the documents of its tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.world import World

_PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "jwks_uri": "/jwks",
}


def tenant_metadata(world: World, name: str, base_url: str) -> JsonObject | None:
    """The discovery document of tenant `name`, None when there is no such tenant."""
    tenant = world.state.get("tenants", name)
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
    document |= tenant.get("metadata", {})
    return {name: value for name, value in document.items() if value is not None}
