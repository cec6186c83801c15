"""An emulator per test and a client that calls it in-process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET, Emulator, EmulatorSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Api = Callable[..., httpx.Response]

BASE_URL = "http://127.0.0.1"


def call(emulator: Emulator, method: str, path: str, **arguments: Any) -> httpx.Response:
    """One request with the project's keys, unless `auth` says otherwise."""
    arguments.setdefault("auth", (DEFAULT_PROJECT_ID, DEFAULT_SECRET))

    async def request() -> httpx.Response:
        async with httpx.AsyncClient(transport=emulator.transport(), base_url=BASE_URL) as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(request())


@pytest.fixture
def make_emulator() -> Iterator[Callable[..., Emulator]]:
    """Emulators with settings of the test's own."""
    made: list[Emulator] = []

    def make(**settings: Any) -> Emulator:
        made.append(Emulator(EmulatorSettings(**settings)))
        return made[-1]

    yield make
    for emulator in made:
        emulator.close()


@pytest.fixture
def emulator(make_emulator: Callable[..., Emulator]) -> Emulator:
    """An emulator with one organization, `acme`."""
    emulator = make_emulator()
    emulator.add_organization("acme", organization_external_id="customer-1", organization_name="Acme Corp")
    return emulator


@pytest.fixture
def api(emulator: Emulator) -> Api:
    """Calls `emulator`: `api(method, path, json=...)`."""

    def request(method: str, path: str, **arguments: Any) -> httpx.Response:
        return call(emulator, method, path, **arguments)

    return request


@pytest.fixture
def call_on() -> Callable[..., httpx.Response]:
    """Calls any emulator: `call_on(emulator, method, path, json=...)`."""
    return call
