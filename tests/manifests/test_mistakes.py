"""Every folder in ``mistakes`` is what somebody may type; ``output.txt`` is what `validate` shows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.fixtures import bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.workplace import Workplace

__all__ = ["bare"]

MISTAKES = sorted(path for path in (Path(__file__).parent / "mistakes").iterdir() if path.is_dir())
WARNINGS = {"smart-quotes"}
"""Mistakes of which a value may still be meant: client IDs and names can hold any character."""


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda path: path.name)
def test_a_mistake_is_shown_with_cause_place_and_remedy(
    mistake: Path, bare: Workplace, matches_golden: Callable[[str, Path], None]
) -> None:
    shutil.copytree(mistake, bare.root, dirs_exist_ok=True)
    run = bare.run("validate")
    assert run.code == (0 if mistake.name in WARNINGS else 1)
    assert "hint: " in run.output
    assert ".yaml:" in run.output
    matches_golden(run.output, mistake / "output.txt")
