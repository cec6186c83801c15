"""Options of the whole test suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# how long one example takes says more about the machine than about the code
settings.register_profile("undisturbed", deadline=None)
settings.load_profile("undisturbed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="write golden files anew instead of comparing; read every difference before committing it",
    )


@pytest.fixture
def matches_golden(request: pytest.FixtureRequest) -> Callable[[str, Path], None]:
    """Return a check that a text is what its golden file says."""

    def check(text: str, golden: Path) -> None:
        if request.config.getoption("update_goldens"):
            golden.write_text(text, encoding="utf-8")
        assert golden.exists(), f"{golden} is missing: run pytest with --update-goldens, then read it"
        assert text == golden.read_text(encoding="utf-8")

    return check
