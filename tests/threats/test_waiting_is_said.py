"""Waiting for the service is said in words, and once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.workplace import Workplace


def test_a_rate_limit_is_said_in_words(connected: Workplace) -> None:
    """Product 5: "rate limited, retrying in 2 s", and no raw log line."""
    connected.emulator.set_switch("retry-after", "seconds")
    connected.emulator.add_fault("list-connections:429:first=1")
    run = connected.run("plan")
    assert run.code == 0, run.output
    assert len(re.findall(r"^rate limited, retrying in \d+ s$", run.err, re.MULTILINE)) == 1
    assert "api call" not in run.output


def test_an_outage_is_said_in_words(connected: Workplace) -> None:
    """Product 5: the same for a service in trouble; with `-v` every call is logged as before."""
    connected.emulator.add_fault("list-connections:503:first=1")
    assert "the service answered 503, retrying in 1 s" in connected.run("plan").err
    connected.emulator.add_fault("list-connections:503:first=1")
    logged = connected.run("plan", "-v").err
    assert "api call" in logged
    assert "retrying in" not in logged


def test_quiet_runs_say_nothing(connected: Workplace) -> None:
    """Product 5, the other side."""
    connected.emulator.add_fault("list-connections:503:first=1")
    assert "retrying" not in connected.run("plan", "-q").err
