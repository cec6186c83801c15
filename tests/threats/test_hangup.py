"""A terminal that is closed during an apply stops it as SIGTERM does, and does no other harm."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import PROGRAM

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


@pytest.fixture
def slow(connected: Workplace) -> Workplace:
    """Two connections are created one after the other, and each create takes its time."""
    connected.add_organization("globex")
    connected.declare("globex")
    connected.setenv("GLOBEX_CLIENT_SECRET", "hidden-globex-value")
    connected.write("reconciler.yaml", "limits: {requests_per_second: 500, concurrency: 1}")
    connected.emulator.add_fault("create-oidc-connection:latency:seconds=1")
    return connected


def assert_stopped_in_order(place: Workplace) -> None:
    document = json.loads((place.root / "result.json").read_text())
    assert (document["interrupted"], document["complete"]) == (True, False)
    assert [outcome["status"] for outcome in document["outcomes"]] == ["applied", "skipped"]
    assert [connection["status"] for connection in place.live("acme")] == ["active"]
    assert not place.live("globex")


def test_a_hangup_stops_an_apply_as_sigterm_does(slow: Workplace) -> None:
    """Case 24: no new operation starts, running ones finish, the summary is printed."""
    with slow.start("apply", "--auto-approve", "--output", "json=result.json") as process:
        assert process.stderr
        for line in process.stderr:
            if "acme/sso: Creating..." in line:
                break
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Apply interrupted! Resources: 1 added" in out
    assert_stopped_in_order(slow)


@pytest.mark.parametrize("repeats", [0, 1], ids=["once", "by the shell, too"])
def test_a_closed_terminal_stops_an_apply_in_order(slow: Workplace, repeats: int) -> None:
    """Case 24: writes to the dead terminal do no harm; the shell may send SIGHUP a second time."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, "apply", "--auto-approve", "--output", "json=result.json"]
    process = subprocess.Popen(
        command,
        cwd=slow.root,
        env=dict(os.environ),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = b""
    while b"Creating..." not in screen:
        try:
            screen += os.read(ours, 65536)
        except OSError:
            raise AssertionError(screen.decode()) from None
    os.close(ours)
    for _ in range(repeats):
        time.sleep(0.05)
        process.send_signal(signal.SIGHUP)
    assert process.wait(30) in {1, 130}
    assert_stopped_in_order(slow)


def test_an_ignored_hangup_stays_ignored(slow: Workplace) -> None:
    """Case 24, the other side: under `nohup` the run goes on."""
    with slow.start(
        "apply", "--auto-approve", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if "acme/sso: Creating..." in line:
                break
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert len(slow.live("globex")) == 1
