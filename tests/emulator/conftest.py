"""An emulator for each test and a client that calls it in process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.emulator import Emulator, EmulatorSettings
from tests.emulator.calls import call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.emulator.calls import Api


@pytest.fixture
def make_emulator() -> Iterator[Callable[..., Emulator]]:
    """Emulators with other settings: `make_emulator(control=True)`."""
    emulators: list[Emulator] = []

    def make(**settings: Any) -> Emulator:
        emulators.append(Emulator(EmulatorSettings(**settings)))
        return emulators[-1]

    yield make
    for emulator in emulators:
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
    return partial(call, emulator)
