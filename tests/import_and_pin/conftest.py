"""An empty project, an emulator, and the real command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare", "place", "running"]


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator) -> Workplace:
    """An empty project, with credentials for an emulator without organizations."""
    bare.use(running)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 1000}")
    return bare
