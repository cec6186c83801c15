"""One organization on the emulator, and declarations for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.state import Presence
from reconciler.emulator import Emulator, EmulatorSettings
from tests.support.estate import Estate, complete
from tests.support.values import desired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredConnection, DesiredOrganization

DECLARED = complete("acme", "okta", custom_scopes=("email", "groups", "openid", "profile")).connection
SECOND = complete("acme", "second")


def present(name: str = "okta", connection: OidcConnection = DECLARED) -> DesiredConnection:
    return replace(complete("acme", name), connection=connection)


def absent(name: str = "okta", connection: OidcConnection = DECLARED) -> DesiredConnection:
    return replace(present(name, connection), presence=Presence.ABSENT)


def declare(*connections: DesiredConnection, **options: Any) -> DesiredOrganization:
    return desired(*connections, **options)


@pytest.fixture
def estate() -> Iterator[Estate]:
    emulator = Emulator(EmulatorSettings(random_seed=1))
    emulator.add_organization("acme")
    yield Estate(emulator)
    emulator.close()
