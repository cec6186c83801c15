"""A folder with a project in it, an emulator beside it, and the real command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import structlog

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.cli.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.emulator import RunningEmulator


@pytest.fixture
def running() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings(random_seed=1, log_secrets=True)) as emulator:
        yield emulator


@pytest.fixture
def bare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Workplace]:
    """An empty folder, and no credentials at all."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith(("STYTCH_", "NO_COLOR", "FORCE_COLOR"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(folder)
    yield Workplace(folder, monkeypatch, capfd)
    structlog.reset_defaults()  # the command logs to the standard error of its own test


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator) -> Workplace:
    """Two organizations that exist, with a connection declared for each, and credentials for them."""
    bare.use(running)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    for slug in ("acme", "globex"):
        running.emulator.add_organization(slug)
        running.emulator.can_discovery(f"https://{slug}.example.com", metadata(slug))
        bare.declare(slug)
        bare.setenv(f"{slug.upper()}_SECRET", f"hidden-{slug}-value")
    return bare


def metadata(slug: str) -> dict[str, str]:
    issuer = f"https://{slug}.example.com"
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/keys",
    }
