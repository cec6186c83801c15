"""Ctrl-C once: running operations are finished, no other is started. Twice: stop at once."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.workplace import NO_CHANGES, NOT_COMPARED

if TYPE_CHECKING:
    import subprocess

    from tests.support.workplace import Workplace

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def slow(place: Workplace) -> Workplace:
    """One connection is created after the other, and each takes its time."""
    place.write("reconciler.yaml", "limits: {requests_per_second: 500, concurrency: 1}")
    place.emulator.add_fault("create-oidc-connection:latency:seconds=1.5")
    return place


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("format_", ["text", "json"])
def test_the_first_signal_finishes_running_operations(
    slow: Workplace, number: signal.Signals, format_: str
) -> None:
    with slow.start("apply", "--auto-approve", "--format", format_) as process:
        until_told(process, "acme/sso: Creating...")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "finishing running operations" in err
    assert "acme/sso: Creation complete" in err
    assert [connection["status"] for connection in slow.live("acme")] == ["active"]
    assert not slow.live("globex")
    if format_ == "json":
        document = json.loads(out)
        assert (document["interrupted"], document["complete"]) == (True, False)
        assert [outcome["status"] for outcome in document["outcomes"]] == ["applied", "skipped"]
    else:
        assert "Apply interrupted! Resources: 1 added, 0 changed, 0 destroyed. 0 failed, 1 skipped." in out
        assert "acme/sso.redirect_url = " in out


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("format_", ["text", "json"])
def test_the_second_signal_stops_and_lists_unknown_outcomes(
    slow: Workplace, number: signal.Signals, format_: str
) -> None:
    slow.emulator.clear_faults()
    slow.emulator.add_fault("create-oidc-connection:hang:seconds=60,after")
    with slow.start("apply", "--auto-approve", "--format", format_, "--output", "json=a.json") as process:
        until_told(process, "acme/sso: Creating...")
        until_asked(slow, "create-oidc-connection")
        process.send_signal(number)
        until_told(process, "Again to stop at once")
        begun = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - begun < 10
    assert "Traceback" not in err
    kept = json.loads((slow.root / "a.json").read_text())
    assert (kept["interrupted"], kept["complete"]) == (True, False)
    assert [outcome["status"] for outcome in kept["outcomes"]] == ["failed", "skipped"]
    assert json.loads(out) == kept if format_ == "json" else "Apply interrupted!" in out
    slow.emulator.clear_faults()
    assert slow.run("apply", "--auto-approve").code == 0
    assert slow.run("plan").out == f"{slow.headline}{NO_CHANGES}\n{NOT_COMPARED}\n"
    assert len(slow.live("acme")) == 1, "what the stopped run had begun is continued, not doubled"


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_an_interrupted_plan_writes_complete_json(place: Workplace, number: signal.Signals) -> None:
    place.emulator.add_fault("list-connections:hang:seconds=60")
    with place.start("plan", "--format", "json", "--output", "a.json") as process:
        until_asked(place, "search-organizations")
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "Interrupted."
    document = json.loads(out)
    assert (document["interrupted"], document["complete"]) == (True, False)
    assert json.loads((place.root / "a.json").read_text()) == document


def test_long_operations_report_progress(slow: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.cli.progress.SECONDS_BETWEEN_LINES", 0.4)
    run = slow.run("apply", "--auto-approve")
    assert run.code == 0
    assert "acme/sso: Still creating... [" in run.err
    assert "elapsed]" in run.err


def until_told(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"{words!r} was never said")


def until_asked(place: Workplace, operation: str) -> None:
    deadline = time.monotonic() + 20
    while not place.emulator.request_log.of(operation) and not place.live("acme"):
        assert time.monotonic() < deadline, f"{operation} was never called"
        time.sleep(0.05)
