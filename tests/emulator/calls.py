"""Calls of an emulator in process, and short views of its responses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET

if TYPE_CHECKING:
    from reconciler.emulator import Emulator

BASE_URL = "http://127.0.0.1"
Api = Callable[..., httpx.Response]


def call(emulator: Emulator, method: str, path: str, **arguments: Any) -> httpx.Response:
    """Send one request with the project's keys, unless `auth` is given."""
    arguments.setdefault("auth", (DEFAULT_PROJECT_ID, DEFAULT_SECRET))

    async def request() -> httpx.Response:
        async with httpx.AsyncClient(transport=emulator.transport(), base_url=BASE_URL) as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(request())


def error(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error_type"]


def statuses(api: Api, *paths: str) -> list[int]:
    return [api("GET", path).status_code for path in paths]
