"""One server for all tests of a worker, and a project on the emulator whose secrets are in it."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.openbao import OpenBao, running_openbao
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare", "running"]

_NUMBERS = count()


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with running_openbao(tmp_path_factory.mktemp("openbao")) as server:
        yield server


class VaultProject:
    """A project whose organizations may use ``sso/ORGANIZATION`` in a store of its own, by a token for it."""

    def __init__(self, place: Workplace, server: OpenBao, version: int = 2) -> None:
        self.place = place
        self.server = server
        self.version = version
        self.mount = f"kv{next(_NUMBERS)}"
        server.mount(self.mount, version)
        self.policy = server.policy(
            self.mount, f"{self.mount}/data/sso" if version == 2 else f"{self.mount}/sso"
        )
        place.write(
            "reconciler.yaml", f"secrets: {{vault: {{allow: ['{self.mount}/sso/{{organization}}#*']}}}}\n"
        )
        place.setenv("VAULT_ADDR", server.address)
        place.setenv("VAULT_TOKEN", server.token(self.policy))

    def declare(self, slug: str, reference: str = "", **fields: Any) -> None:
        """Add an organization whose connection refers to the key ``okta`` of its secret, or as said."""
        self.place.add_organization(slug)
        secret = reference or f"${{vault:{self.mount}/sso/{slug}#okta}}"
        self.place.declare(slug, client_secret=secret, **fields)

    def store(self, slug: str, value: Any, **metadata: str) -> None:
        """Store what the connection of an organization refers to."""
        if self.version == 1:
            self.server.request("POST", f"{self.mount}/sso/{slug}", {"okta": value})
        else:
            self.server.put(f"sso/{slug}", {"okta": value}, mount=self.mount, **metadata)


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    for name in [name for name in os.environ if name.startswith("VAULT_")]:
        monkeypatch.delenv(name)
    bare.use(running)
    return bare


@pytest.fixture
def project(place: Workplace, openbao: OpenBao) -> VaultProject:
    return VaultProject(place, openbao)
