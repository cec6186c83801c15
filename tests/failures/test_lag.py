"""A list that lags behind the writes: no doubles as far as patience reaches, and beyond it a clear word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.applier import ReadBackPolicy
from reconciler.core.outcome import Failed
from tests.failures.matrix import set_up
from tests.failures.operations import BATCHES, batch

if TYPE_CHECKING:
    from tests.support.estate import Estate

READINGS = len(ReadBackPolicy().waits)
NONE: dict[str, str] = {}
ONE = {"acme": "one"}
TWO = {"acme": "one two"}
LOST = ["", "create-oidc-connection:reset:after,first=1", "update-oidc-connection:reset:after,first=1"]


def leftover_is_named(estate: Estate) -> None:
    """The next plan names the connection that nobody configured, and how it goes."""
    (diagnostic,) = estate.plan().diagnostics
    assert diagnostic.code == "leftover"
    (left,) = (live for live in estate.live(estate.desired.connections[0]) if live["status"] == "pending")
    assert left["connection_id"] in diagnostic.summary
    assert f"{{connection_id: {left['connection_id']}, state: absent}}" in diagnostic.detail


@pytest.mark.parametrize("reads", range(READINGS))
@pytest.mark.parametrize("fault", LOST)
def test_no_create_is_doubled_by_a_list_that_lags(reads: int, fault: str) -> None:
    estate = set_up(batch(NONE, TWO))
    estate.emulator.set_switch("read-lag", str(reads))
    if fault:
        estate.emulator.add_fault(fault)
    result = estate.reconcile()
    assert result.is_complete
    assert estate.unheld() == ()
    assert len(estate.emulator.request_log.of("create-oidc-connection")) == 2


@pytest.mark.parametrize("reads", range(READINGS))
@pytest.mark.parametrize("scene", ["update", "delete"])
def test_no_update_or_delete_is_repeated_because_of_a_list_that_lags(reads: int, scene: str) -> None:
    estate = set_up(BATCHES[scene]())
    estate.emulator.set_switch("read-lag", str(reads))
    plan = estate.plan()
    assert estate.apply(plan).is_complete
    assert len(estate.emulator.request_log.writes) == len(plan.changes)


def test_beyond_patience_a_create_that_was_answered_is_not_doubled_but_reported() -> None:
    estate = set_up(batch(NONE, TWO))
    estate.emulator.set_switch("read-lag", str(READINGS))
    result = estate.reconcile()
    assert all("is not listed" in outcome.message for outcome in result.failed)
    assert estate.doubled() == ()
    estate.emulator.set_switch("read-lag", "none")
    assert estate.reconcile().is_complete
    assert estate.unheld() == ()


def test_beyond_patience_a_lost_create_is_sent_again_and_its_double_is_reported_with_what_to_do() -> None:
    """Nobody can see it coming, so it is said: by this run or, if the list lags still, by the next plan."""
    estate = set_up(batch(NONE, ONE))
    estate.emulator.set_switch("read-lag", str(READINGS))
    estate.emulator.add_fault("create-oidc-connection:reset:after,first=1")
    (outcome,) = estate.reconcile().outcomes
    assert isinstance(outcome, Failed)
    assert "the response to create 1 was lost" in "; ".join(outcome.history)
    leftover_is_named(estate)


def test_an_update_that_the_list_does_not_show_is_not_sent_again() -> None:
    """The answer said that it holds: a second write could only overwrite what somebody else wrote since."""
    estate = set_up(BATCHES["update"]())
    estate.emulator.set_switch("read-lag", str(READINGS))
    plan = estate.plan()
    result = estate.apply(plan)
    assert all("the list lags" in outcome.message for outcome in result.failed)
    assert len(estate.emulator.request_log.writes) == len(plan.changes)
    assert estate.unheld() == ()


@pytest.mark.parametrize("seconds", [59, 61, 70, 80, 100, 120])
def test_a_create_that_takes_effect_after_its_deadline_is_waited_for_and_not_doubled(seconds: int) -> None:
    estate = set_up(batch(NONE, ONE))
    estate.emulator.add_fault(f"create-oidc-connection:latency:seconds={seconds}")
    assert estate.reconcile().is_complete
    assert estate.unheld() == ()
    assert len(estate.emulator.request_log.of("create-oidc-connection")) == 1


def test_a_create_that_takes_effect_long_after_its_run_gave_up_is_named_by_the_next_plan() -> None:
    estate = set_up(batch(NONE, ONE))
    estate.emulator.add_fault("create-oidc-connection:latency:first=1,seconds=300")
    estate.reconcile()
    leftover_is_named(estate)
