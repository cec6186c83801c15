"""Product's promise for two runs at once, over every interleaving of two and three runs."""

from __future__ import annotations

import pytest

from tests.core.withdrawal_model import Rules, State, explore

CASES = [(2, 0, 2), (2, 1, 2), (2, 2, 2), (3, 0, 2), (3, 1, 2), (3, 3, 1)]
"""Runs, kills and creates of one run; `make soak` explores three runs that begin anew and may all die."""

three_runs = pytest.param(3, marks=pytest.mark.proofs)
every_case = pytest.mark.parametrize(
    ("runs", "kills", "posts"),
    [pytest.param(*case, marks=pytest.mark.proofs if case[0] > 2 else []) for case in CASES],
    ids=[f"{r} runs, {k} kills, {p} creates" for r, k, p in CASES],
)
with_and_without_default = pytest.mark.parametrize("has_default", [False, True], ids=["", "default"])


def configured(state: State) -> int:
    return sum(state.server[0])


def pending(state: State) -> int:
    return len(state.server[0]) - configured(state)


@with_and_without_default
@every_case
def test_two_are_left_only_by_a_run_that_died_between_its_update_and_the_end_of_its_wait(
    runs: int, kills: int, posts: int, has_default: bool
) -> None:
    """Whatever is frozen for however long, and whoever is killed at any point."""
    for state in explore(runs, kills, Rules(has_default=has_default), posts=posts):
        died_after_update = sum(run.died_after_update for run in state.runs)
        assert configured(state) <= 1 + died_after_update, state
        died = sum(run.step == "dead" for run in state.runs)
        assert pending(state) <= died, state


@with_and_without_default
@pytest.mark.parametrize("runs", [2, three_runs])
def test_without_a_kill_two_are_never_left_and_none_only_with_a_word(runs: int, has_default: bool) -> None:
    """None only where runs are frozen to the very end of each other's waits, twice; then one exits 1."""
    for state in explore(runs, 0, Rules(has_default=has_default)):
        assert pending(state) == 0
        assert configured(state) == 1 or (
            configured(state) == 0 and any(run.step == "failed" for run in state.runs)
        )


@with_and_without_default
@pytest.mark.parametrize("runs", [2, 3])
def test_runs_that_are_not_frozen_for_a_whole_wait_leave_exactly_one_and_all_succeed(
    runs: int, has_default: bool
) -> None:
    for state in explore(runs, 0, Rules(has_default=has_default, is_timely=True)):
        assert state.server[0] == (True,)
        assert [run.step for run in state.runs] == ["done"] * runs


@pytest.mark.parametrize("runs", [2, three_runs])
def test_a_run_exits_1_only_where_it_sees_two_or_has_withdrawn_twice(runs: int) -> None:
    """Though another one, frozen until then, may withdraw later: no wait tells it from a dead one."""
    ended = list(explore(runs, 0, Rules(has_default=True)))
    failed = [run for state in ended for run in state.runs if run.step == "failed"]
    assert all(run.saw > 1 or run.posts == 2 for run in failed)
    assert any(configured(state) == 1 and run in failed for state in ended for run in state.runs)


def test_the_case_that_no_client_can_close_is_in_the_model() -> None:
    """Or the model would be too small to show anything."""
    assert any(configured(state) == 2 for state in explore(2, 1, Rules()))


def test_two_that_both_withdraw_begin_anew() -> None:
    assert any(
        configured(state) == 1 and max(run.posts for run in state.runs) == 2
        for state in explore(2, 0, Rules())
    )
