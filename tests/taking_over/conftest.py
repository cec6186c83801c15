"""A folder with a project in it, an emulator beside it, and the real command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import bare, running

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.cli.workplace import Workplace

__all__ = ["bare", "running"]


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator) -> Workplace:
    """An empty project, with credentials for an emulator in which nothing is yet."""
    bare.use(running)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 1000}")
    return bare
