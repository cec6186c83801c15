"""Executes the commands of `docs/how-to/authentication.md`, each section on a new emulator."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from reconciler.emulator import read_seed
from tests.docs.pages import ROOT, Block, blocks
from tests.docs.test_pages import expected_is_met, perform, steps

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.cli.workplace import Workplace

PAGE: Final = ROOT / "docs/how-to/authentication.md"
EXAMPLE: Final = ROOT / "examples/authentication"
_ASSIGNMENT: Final = re.compile(r"export (\w+)=(\S+)")


def chapters() -> dict[str, list[Block]]:
    """The shell blocks under each heading."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    found: dict[str, list[Block]] = {}
    for block in blocks(PAGE, "shell"):
        title = next(line for line in reversed(lines[: block.line]) if line.startswith("## "))
        found.setdefault(title.removeprefix("## "), []).append(block)
    return found


@pytest.fixture
def example(bare: Workplace, running: RunningEmulator) -> Workplace:
    bare.use(running)
    for name in ("STYTCH_PROJECT_ID", "STYTCH_SECRET"):
        bare.delenv(name)
    shutil.copytree(EXAMPLE, bare.root, dirs_exist_ok=True)
    running.emulator.seed(read_seed(EXAMPLE / "emulator.yaml"))
    return bare


@pytest.mark.parametrize("title", chapters())
def test_a_chapter_says_what_happens(title: str, example: Workplace, request: pytest.FixtureRequest) -> None:
    for block in chapters()[title]:
        played = "".join(step(command, expected, example, request) for command, expected in steps(block.text))
        if request.config.getoption("update_goldens"):
            text = PAGE.read_text(encoding="utf-8")
            PAGE.write_text(text.replace(block.text, played), encoding="utf-8")


def step(command: str, expected: str, place: Workplace, request: pytest.FixtureRequest) -> str:
    """Do one step; return it with what it printed."""
    if assignment := _ASSIGNMENT.fullmatch(command):
        place.setenv(assignment[1], assignment[2])
        return f"$ {command}\n"
    if command.startswith("unset "):
        place.delenv(command.removeprefix("unset "))
        return f"$ {command}\n"
    ended = perform(command, place)
    if not request.config.getoption("update_goldens"):
        assert expected_is_met(expected, ended), f"{command}\n{ended.said}"
    return f"$ {command}\n{ended.out or ended.err}"


def test_every_door_is_shown_with_the_same_outcome() -> None:
    outcomes = [
        "".join(block.text for block in chapters()[title]).count(
            "Apply complete! Resources: 1 added, 0 changed, 0 destroyed."
        )
        for title in list(chapters())[:3]
    ]
    assert outcomes == [1, 1, 1]


def test_the_example_names_no_door() -> None:
    assert "target" not in yaml.safe_load((EXAMPLE / "reconciler.yaml").read_text(encoding="utf-8"))
