"""The same floor as that of the bare client, without httpx: aiohttp alone asks."""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp

WORKERS = 32


async def read_all(base_url: str, organizations: int) -> int:
    """Return how many bytes the answers have."""
    remaining = iter(range(organizations))
    size = 0
    connector = aiohttp.TCPConnector(limit=WORKERS)
    async with aiohttp.ClientSession(base_url, connector=connector) as session:

        async def work() -> None:
            nonlocal size
            for index in remaining:
                path = f"/v1/b2b/sso/organization-test-{index:08d}-0000-4000-8000-000000000000"
                async with session.get(path) as response:
                    size += len(await response.read())

        await asyncio.gather(*(work() for _ in range(WORKERS)))
    return size


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(read_all(os.environ['BASE_URL'], int(sys.argv[1])))}\n")
