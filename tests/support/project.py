"""A folder with manifests, for the tests that run the real command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

SECRET: Final = "s3cret-of-the-idp"


def write_project(
    folder: Path, organizations: Mapping[str, Collection[str]], *, absent: Collection[str] = ()
) -> None:
    """Declare connections by name for each organization; those in ``absent`` are to be deleted."""
    (folder / "organizations").mkdir(exist_ok=True)
    (folder / "reconciler.yaml").write_text(
        "version: 1\nlimits: {requests_per_second: 500, max_deletes: 1000, max_delete_percent: 100}\n",
        encoding="utf-8",
    )
    for organization, names in organizations.items():
        document = {
            "organization": organization,
            "connections": {name: connection(organization, name, absent=name in absent) for name in names},
        }
        path = folder / "organizations" / f"{organization}.yaml"
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def connection(organization: str, name: str, *, absent: bool = False) -> dict[str, str]:
    """One complete declaration, as in a manifest."""
    issuer = f"https://{name}.{organization}.example"
    declared = {
        "identity_provider": "okta",
        "issuer": issuer,
        "client_id": f"client-{organization}-{name}",
        "client_secret": "${env:IDP_CLIENT_SECRET}",
        "authorization_url": f"{issuer}/authorize",
        "token_url": f"{issuer}/token",
        "userinfo_url": f"{issuer}/userinfo",
        "jwks_url": f"{issuer}/keys",
    }
    return declared | ({"state": "absent"} if absent else {})
