"""Fixtures for tests of the real command; a folder's conftest imports those that it needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import structlog

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.support.workplace import Workplace

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
    for name in [
        name for name in os.environ if name.startswith(("STYTCH_", "RECONCILER_", "NO_COLOR", "FORCE_COLOR"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(folder)
    yield Workplace(folder, monkeypatch, capfd)
    structlog.reset_defaults()  # the command logs to the standard error of its own test
