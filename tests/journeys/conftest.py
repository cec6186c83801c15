"""Opens pages whose stories the tests tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT
from tests.journeys.story import telling
from tests.support.fixtures import bare

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.journeys.story import OpenPage
    from tests.support.workplace import Workplace

__all__ = ["bare"]


@pytest.fixture
def open_page(bare: Workplace, matches_golden: Callable[[str, Path], None]) -> OpenPage:
    """Return a function that opens a guide by the name of its file, to play its sections."""
    return lambda name: telling(ROOT / "docs/how-to" / name, bare, matches_golden)
