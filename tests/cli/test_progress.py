"""Progress: a bar with counts, rate and time left on a terminal, otherwise lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reconciler.cli import progress
from reconciler.cli.console import Console
from reconciler.reports.text_progress import render_counted
from tests.support.terminal import terminal

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

SLUGS = tuple(f"org-{number:02}" for number in range(30))


@pytest.fixture
def estate(bare: Workplace, running: RunningEmulator) -> Workplace:
    bare.use(running)
    bare.write("reconciler.yaml", "limits: {requests_per_second: 100, concurrency: 2}")
    bare.setenv("IDP_CLIENT_SECRET", "hidden")
    for slug in SLUGS:
        running.emulator.add_organization(slug)
        bare.declare(slug, client_secret="${env:IDP_CLIENT_SECRET}")
    return bare


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"),
    [
        (0, 0, 0.0, "0"),
        (5, 0, 2.0, "5 [2.5 a second]"),
        (0, 100, 3.0, "0 of 100"),
        (50, 100, 5.0, "50 of 100 [10 a second, 5s left]"),
        (100, 100, 5.0, "100 of 100 [20 a second]"),
        (120, 100, 5.0, "120 of 120 [24 a second]"),
        (1000, 1_000_000, 10.0, "1,000 of 1,000,000 [100 a second, 2h46m left]"),
    ],
)
def test_counts_rate_and_time_left(done: int, total: int, seconds: float, words: str) -> None:
    assert render_counted(done, total, seconds) == words


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_every_ten_seconds_says_counts_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    lines = progress.ProgressLines(
        Console(), "Reading organizations", 3000, started_at=100.0, updated_at=100.0
    )
    for second in range(26):
        clock.now = 100.0 + second
        lines.advanced(40 * second)
    assert capfd.readouterr().err.splitlines() == [
        "Reading organizations... 400 of 3,000 [40 a second, 1m05s left]",
        "Reading organizations... 800 of 3,000 [40 a second, 55s left]",
    ]


def test_quiet_prints_no_progress(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    with progress.applying_progress(Console(quiet=True), 100) as quiet:
        clock.now = 200.0
        quiet.advanced(50)
    assert capfd.readouterr().err == ""


def test_a_bar_shows_reading_and_applying_and_is_removed(estate: Workplace) -> None:
    estate.emulator.add_fault("*:latency:seconds=0.05")
    with terminal(estate, "apply", "--auto-approve") as session:
        code, result = session.end()
    assert code == 0
    screen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", session.screen)
    assert re.search(r"Reading organizations .* of 30 \[\d+(\.\d)? a second", screen)
    assert re.search(r"Applying changes .*\d+ of 30 \[\d+(\.\d)? a second, \d+s left\]", screen)
    assert screen.count("Creation complete after") == 30
    assert "Apply complete! Resources: 30 added, 0 changed, 0 destroyed." in result
    assert "a second" not in result


def test_quiet_shows_no_bar(estate: Workplace) -> None:
    with terminal(estate, "plan", "-q") as session:
        code, result = session.end()
    assert code == 0
    assert session.screen == ""
    assert "Plan: 30 to add" in result


def test_verbose_shows_no_bar(estate: Workplace) -> None:
    with terminal(estate, "plan", "-v") as session:
        session.end()
    assert "api call" in session.screen
    assert "Reading organizations" not in session.screen


def test_a_slow_operation_prints_still_creating(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.2)
    place.emulator.add_fault("create-oidc-connection:latency:seconds=0.7,first=1")
    run = place.run("apply", "--auto-approve")
    assert run.code == 0
    assert re.search(r"(acme|globex)/sso: Still creating\.\.\. \[\d+s elapsed\]", run.err)


def test_the_total_is_the_number_of_declared_organizations(estate: Workplace) -> None:
    seen: list[int] = []

    class Watching(progress.ProgressLines):
        def advanced(self, done: int) -> None:
            seen.append(self.total)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "ProgressLines", Watching)
        assert estate.run("plan").code == 0
    assert seen == [30] * 30
