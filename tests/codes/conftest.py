"""Two organizations that exist, with a connection declared for each, and credentials for them."""

from __future__ import annotations

from tests.cli.conftest import place
from tests.support.fixtures import bare, running

__all__ = ["bare", "place", "running"]
