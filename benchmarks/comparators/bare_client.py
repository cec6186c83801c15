"""The floor of reading what is live: one GET for each organization, 32 at once, and nothing made of them."""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

WORKERS = 32


async def read_all(base_url: str, organizations: int) -> int:
    """Return how many bytes the answers have."""
    remaining = iter(range(organizations))
    size = 0
    connector = aiohttp.TCPConnector(limit=WORKERS)
    transport = AiohttpTransport(client=lambda: aiohttp.ClientSession(connector=connector))
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:

        async def work() -> None:
            nonlocal size
            for index in remaining:
                path = f"/v1/b2b/sso/organization-test-{index:08d}-0000-4000-8000-000000000000"
                size += len((await client.get(path)).content)

        await asyncio.gather(*(work() for _ in range(WORKERS)))
    return size


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(read_all(os.environ['BASE_URL'], int(sys.argv[1])))}\n")
