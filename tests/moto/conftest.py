"""One server for all tests of a worker, and a project on the emulator whose secrets are in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.moto import REGION, Moto, running_moto
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare", "running"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with running_moto(tmp_path_factory.mktemp("moto")) as moto:
        yield moto


@pytest.fixture
def moto(server: Moto) -> Moto:
    server.reset()
    return server


class AwsProject:
    """A project whose organizations may use the secret ``sso/ORGANIZATION``."""

    def __init__(self, place: Workplace, moto: Moto) -> None:
        self.place = place
        self.moto = moto
        place.write("reconciler.yaml", "secrets: {aws-sm: {allow: ['sso/{organization}#*']}}\n")
        place.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", moto.address)
        place.setenv("AWS_REGION", REGION)
        place.setenv("AWS_ACCESS_KEY_ID", "AKIACANARYKEYID")
        place.setenv("AWS_SECRET_ACCESS_KEY", "canary-of-the-access-key")

    def declare(self, slug: str, reference: str = "", **fields: Any) -> None:
        """Add an organization whose connection refers to the key ``okta`` of its secret, or as said."""
        self.place.add_organization(slug)
        secret = f"${{aws-sm:{reference or f'sso/{slug}#okta'}}}"
        self.place.declare(slug, client_secret=secret, **fields)


@pytest.fixture
def place(
    bare: Workplace, running: RunningEmulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Workplace:
    """A project folder, and nothing that AWS' library would take for settings of this machine."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "BOTO_"))]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    bare.use(running)
    return bare


@pytest.fixture
def project(place: Workplace, moto: Moto) -> AwsProject:
    return AwsProject(place, moto)
