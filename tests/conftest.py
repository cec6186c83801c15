"""Options of the whole test suite."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.generated import examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# how long one example takes says more about the machine than about the code
settings.register_profile("undisturbed", examples(100))
settings.load_profile("undisturbed")

# the processes that tests start would compile every module again, each a third of its time
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# whoever starts the tests in the background may ignore hangups; the processes that tests start inherit that
signal.signal(signal.SIGHUP, signal.SIG_DFL)


LONG_LASTING = {"examples", "failures", "journeys", "performance", "soak", "workflows"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Three workers for two processors: a third of the time tests wait for processes and for answers."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    processors = os.cpu_count() or 1
    return processors + processors // 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders whose tests last long: otherwise one worker would end alone with them."""
    items.sort(key=lambda item: LONG_LASTING.isdisjoint(item.path.parts))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="write golden files anew instead of comparing; read every difference before committing it",
    )


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes run without coverage, which takes half their time again; other tests reach the same code."""
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)


@pytest.fixture
def matches_golden(request: pytest.FixtureRequest) -> Callable[[str, Path], None]:
    """Return a check that a text is what its golden file says."""

    def check(text: str, golden: Path) -> None:
        if request.config.getoption("update_goldens"):
            golden.write_text(text, encoding="utf-8")
        assert golden.exists(), f"{golden} is missing: run pytest with --update-goldens, then read it"
        assert text == golden.read_text(encoding="utf-8")

    return check
