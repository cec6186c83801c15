"""The same script with the SDK's asynchronous calls, 32 at once."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import yaml
from sdk_sync import client_for, differs  # type: ignore[import-not-found]  # beside this script

WORKERS = 32


async def compare_all(base_url: str, files: list[Path]) -> int:
    """Return how many connections differ."""
    client = client_for(base_url)
    remaining = iter(files)
    changed = 0

    async def work() -> None:
        nonlocal changed
        for file in remaining:
            manifest = yaml.safe_load(file.read_text())
            answer = await client.sso.get_connections_async(organization_id=manifest["organization"])
            live = {one.display_name: one for one in answer.oidc_connections}
            for declared in manifest["connections"].values():
                found = live.get(declared["display_name"])
                changed += found is None or differs(declared, found)

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return changed


if __name__ == "__main__":
    manifests = sorted(Path("organizations").rglob("*.yaml"))
    sys.stdout.write(f"{asyncio.run(compare_all(os.environ['BASE_URL'], manifests))} differ\n")
