"""A project folder with two declared organizations, an emulator, and the real command."""

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
    """Two organizations that exist, with a connection declared for each, and credentials for them."""
    bare.use(running)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 500}")
    for slug in ("acme", "globex"):
        bare.add_organization(slug)
        bare.declare(slug)
        bare.setenv(f"{slug.upper()}_CLIENT_SECRET", f"hidden-{slug}-value")
    return bare
