"""A plan only reads, and after apply the next plan is empty: for every example and every case."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.emulator import read_seed
from tests.cli.estates import CASES, EXAMPLES, UNANSWERABLE, Case, is_answerable, quickstart_secrets
from tests.support.workplace import NO_CHANGES, NOT_COMPARED

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

ANSWERABLE = [folder for folder in CASES if is_answerable(folder)]


def only_reads(place: Workplace) -> None:
    """Nothing was sent but GET, and POST to the search; asserted on the wire."""
    requests = place.emulator.request_log.entries
    assert requests
    for request in requests:
        assert request.method == "GET" or (request.method, request.path) == (
            "POST",
            "/v1/b2b/organizations/search",
        )
        assert not request.applied or not request.writes


@pytest.fixture
def alive(bare: Workplace, running: RunningEmulator) -> Workplace:
    bare.use(running)
    return bare


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_converges(alive: Workplace, folder: Path) -> None:
    shutil.copytree(folder, alive.root, dirs_exist_ok=True)
    alive.emulator.seed(read_seed(folder / "emulator.yaml"))
    for name in quickstart_secrets(folder):
        alive.setenv(name, f"secret for {name}")
    words = ("--var", f"initech_idp={alive.base_url}/idp/initech")
    assert alive.run("validate").code == 0
    assert alive.run("plan", "--detailed-exitcode", *words).code == 2
    only_reads(alive)
    assert alive.run("apply", "--auto-approve", *words).code == 0
    alive.emulator.request_log.clear()
    run = alive.run("plan", "--detailed-exitcode", *words)
    assert (run.code, run.out) == (0, f"{alive.headline}{NO_CHANGES}\n{NOT_COMPARED}\n")
    only_reads(alive)


def counts(plan: dict[str, Any]) -> dict[str, int]:
    """Leave the warnings out: outside a repository the commands add one about what Git cannot tell."""
    return {name: number for name, number in plan["summary"].items() if name != "warnings"}


@pytest.mark.parametrize("folder", ANSWERABLE, ids=lambda folder: folder.name)
def test_a_case_converges_or_is_refused_without_a_write(alive: Workplace, folder: Path) -> None:
    case = Case(folder)
    case.settle(alive)
    planned = alive.run("plan", "--detailed-exitcode", "--format", "json", *case.plan_words)
    only_reads(alive)
    assert counts(planned.document) == counts(case.golden), planned.output
    assert planned.document["errored"] is case.golden["errored"]
    assert planned.code == (1 if case.golden["errored"] else 2 if case.golden["resource_changes"] else 0)
    applied = alive.run("apply", "--auto-approve", *case.words)
    assert (applied.code == 0) is not case.golden["errored"], applied.output
    if case.golden["blocks"]:
        assert not alive.emulator.request_log.writes
        return
    alive.emulator.request_log.clear()
    again = alive.run("plan", "--detailed-exitcode", *case.words)
    only_reads(alive)
    assert again.code == applied.code
    assert again.out.startswith(f"{alive.headline}{NO_CHANGES}") is not case.golden["errored"]


def test_nearly_all_cases_can_be_played() -> None:
    assert len(ANSWERABLE) >= 70
    assert {folder.name for folder in CASES} >= UNANSWERABLE
