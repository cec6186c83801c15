"""The script a user would write on Stytch's Python SDK: read YAML, list connections, compare; 32 at once."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import stytch
import yaml

WORKERS = 32
TEXTS = (
    "identity_provider",
    "issuer",
    "client_id",
    "authorization_url",
    "token_url",
    "userinfo_url",
    "jwks_url",
)


def create_client(base_url: str) -> stytch.B2BClient:
    """Return a client; the SDK accepts https URLs only, so the URL is set afterwards."""
    client = stytch.B2BClient(
        project_id="project-test-00000000-0000-4000-8000-000000000000",
        secret=os.environ["STYTCH_SECRET"],
        environment="test",
    )
    client.api_base.base_url = f"{base_url}/"
    return client


def differs(declared: dict[str, object], live: object) -> bool:
    """Return whether a live connection differs from its manifest."""
    if any(getattr(live, name) != declared[name] for name in TEXTS):
        return True
    scopes = sorted(str(live.custom_scopes).split())  # type: ignore[attr-defined]  # the SDK's model
    mapping = live.attribute_mapping  # type: ignore[attr-defined]  # the SDK's model
    return scopes != declared["custom_scopes"] or mapping != declared["attribute_mapping"]


async def count_changes(base_url: str, files: list[Path]) -> int:
    """Return the number of connections that differ."""
    client = create_client(base_url)
    remaining = iter(files)
    changed = 0

    async def work() -> None:
        nonlocal changed
        for file in remaining:
            manifest = yaml.safe_load(file.read_text())
            response = await client.sso.get_connections_async(organization_id=manifest["organization"])
            live = {connection.display_name: connection for connection in response.oidc_connections}
            for declared in manifest["connections"].values():
                connection = live.get(declared["display_name"])
                changed += connection is None or differs(declared, connection)

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return changed


if __name__ == "__main__":
    manifests = sorted(Path("organizations").rglob("*.yaml"))
    sys.stdout.write(f"{asyncio.run(count_changes(os.environ['BASE_URL'], manifests))} differ\n")
