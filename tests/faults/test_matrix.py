"""Every fault at every operation and at each of its calls: said, and healed by the next run at the latest."""

from __future__ import annotations

import pytest

from reconciler.core.outcome import Applied, Failed
from tests.faults.matrix import FAULTS, OCCASIONS, OPERATIONS, Ended, run
from tests.faults.table import PAGE, row


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_said_and_the_next_run_converges(fault: str) -> None:
    cells = {
        (operation, occasion): check(operation, fault, occasion)
        for operation in OPERATIONS
        for occasion in OCCASIONS
    }
    page = PAGE.read_text(encoding="utf-8")
    assert row(fault, cells) in page, "the page is out of date: run `make faults`"


def check(operation: str, fault: str, occasion: str) -> Ended:
    ended = run(operation, fault, occasion)
    nothing_is_doubled(ended)
    nothing_is_claimed_that_does_not_hold(ended)
    what_went_wrong_is_said(ended)
    no_run_goes_on_for_ever(ended)
    the_next_run_converges(ended)
    return ended


def nothing_is_doubled(ended: Ended) -> None:
    assert ended.estate.doubled() == ()


def nothing_is_claimed_that_does_not_hold(ended: Ended) -> None:
    unheld = ended.estate.unheld()
    assert not {str(outcome.address) for outcome in ended.result.applied} & set(unheld)
    assert not (ended.is_whole and unheld)


def what_went_wrong_is_said(ended: Ended) -> None:
    """A write whose answer did not arrive leaves a history or a failure; a 429 is only waited for."""
    lost = [
        request
        for request in ended.estate.emulator.request_log.writes
        if request.status not in {200, 404, 429}
    ]
    told = [
        outcome
        for outcome in ended.result.outcomes
        if isinstance(outcome, Applied | Failed) and outcome.history
    ]
    assert bool(told) >= bool(lost)
    for one in ended.result.failed:
        assert one.message
        assert "Traceback" not in one.message
    if ended.plan is None:
        assert ended.error


def no_run_goes_on_for_ever(ended: Ended) -> None:
    """ReadBackPolicy is two minutes for a call, and for all calls of a kind together while none works."""
    assert ended.estate.took < 400


def the_next_run_converges(ended: Ended) -> None:
    estate = ended.estate
    estate.emulator.clear_faults()
    assert estate.apply(estate.plan()).is_complete
    assert estate.unheld() == ()
    assert not estate.plan().has_changes
