"""What every cell of the matrix has to fulfil, whatever its mark."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.core.change import Create
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.outcome import Applied, Failed
from reconciler.reports import PLAN_FORMATS

if TYPE_CHECKING:
    from tests.failures.matrix import Cell, Round

ANSWERED = {200, 400, 404, 429}
"""Statuses that say what has become of a write: it took effect, or it was refused."""


def judge(cell: Cell, mark: str) -> None:
    """Check what holds for every cell, and what its mark promises."""
    for each in (cell.first, cell.second):
        nothing_is_claimed_that_does_not_hold(each)
        nothing_is_written_again_and_again(each, cell.circumstance.most_writes)
    what_went_wrong_is_said(cell.first)
    no_run_goes_on_for_ever(cell.first)
    nothing_is_doubled_in_silence(cell)
    {
        "●": everything_was_done,
        "○": the_next_run_converges,
        "=": everything_holds,
        "≠": it_is_said_what_does_not_hold,
        "⊘": nothing_was_written,
    }[mark](cell)


def nothing_is_claimed_that_does_not_hold(each: Round) -> None:
    assert not {str(outcome.address) for outcome in each.result.applied} & set(each.unheld)
    assert not (each.is_whole and each.unheld)


def nothing_is_written_again_and_again(each: Round, most_writes: int) -> None:
    assert max(each.writes.values(), default=0) <= most_writes
    creates = [change for change in each.plan.changes if isinstance(change, Create)] if each.plan else []
    assert Counter(method for method, _path, _body in each.writes.elements())["POST"] <= len(creates)


def what_went_wrong_is_said(each: Round) -> None:
    """A write whose answer did not arrive leaves a history or a failure; a 429 is only waited for."""
    lost = [request for request in each.requests if request.status not in ANSWERED]
    with_history = [
        outcome
        for outcome in each.result.outcomes
        if isinstance(outcome, Applied | Failed) and outcome.history
    ]
    assert bool(with_history) >= bool(lost)
    for outcome in each.result.failed:
        assert outcome.message
        assert "Traceback" not in outcome.message
    assert each.plan or each.error


def no_run_goes_on_for_ever(each: Round) -> None:
    """A call is repeated for two minutes, and so are all calls of a kind together while none works."""
    assert each.seconds < 400


def nothing_is_doubled_in_silence(cell: Cell) -> None:
    """If writes are not listed, a second run cannot see what the first one made; once it can, it says so."""
    assert cell.first.doubled == ()
    if not cell.estate.doubled():
        return
    assert cell.circumstance.hides_writes
    while not (diagnostics := cell.estate.plan().diagnostics):
        assert cell.estate.seconds < 600, "the list does not get current"
    assert diagnostics[0].is_error
    assert all(
        connection["connection_id"] in diagnostics[0].summary
        for connection in cell.estate.emulator.connections("acme")
    )


def everything_was_done(cell: Cell) -> None:
    """Every planned change is counted as done by this run, although an answer to it was lost."""
    assert all(isinstance(outcome, Applied) for outcome in cell.first.result.outcomes)
    everything_holds(cell)


def everything_holds(cell: Cell) -> None:
    """The first round did everything, the second finds nothing to do, and the server confirms it."""
    assert cell.first.is_whole
    assert cell.first.unheld == ()
    assert cell.second.plan
    assert "\nNo changes. " in PLAN_FORMATS["text"](cell.second.plan)
    assert not cell.second.writes
    assert not cell.last_plan.has_changes
    assert cell.estate.unheld() == ()
    for desired in cell.estate.desired.connections:
        if not desired.is_absent and all(getattr(desired.connection, name) for name in WRITABLE_FIELDS):
            (live,) = cell.estate.live(desired)
            assert live["status"] == "active"


def the_next_run_converges(cell: Cell) -> None:
    assert cell.second.is_whole
    assert cell.second.unheld == ()
    assert not cell.last_plan.has_changes


def it_is_said_what_does_not_hold(cell: Cell) -> None:
    """An update that was corrected, or sent again, was sent exactly twice."""
    assert cell.sentences
    for sentence in cell.sentences:
        assert sentence.startswith("did not converge: ")
        if "after one correction" in sentence or "although it was sent twice" in sentence:
            puts = Counter(path for method, path, _body in cell.first.writes.elements() if method == "PUT")
            assert max(puts.values()) == 2
    for name in cell.differing:
        assert name in " ".join(cell.sentences)


def nothing_was_written(cell: Cell) -> None:
    assert not cell.first.writes
