"""The one excuse for two of one name, and whose deletes are whose: each case beside its nearest one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import LoggedRequest
from tests.soak.rounds import Reckoning
from tests.soak.trace import KEPT_BY_THE_SERVICE, LEFT_BY_A_KILL, LEFTOVERS, Trace, judge_deletes, judge_twins

if TYPE_CHECKING:
    from collections.abc import Collection

A, B, C = "connection-a", "connection-b", "connection-c"
_OPERATIONS = {
    "create": "create-oidc-connection",
    "update": "update-oidc-connection",
    "delete": "delete-connection",
    "list": "list-connections",
}


@dataclass
class Log:
    """Requests of several runs, written as `first creates a`."""

    requests: list[LoggedRequest] = field(default_factory=list)

    def add(self, run: str, operation: str, connection_id: str = "", fault: str = "") -> Log:
        request = LoggedRequest(
            operation=_OPERATIONS[operation],
            method="",
            path="/sso/oidc" if operation == "create" else f"/sso/{connection_id}",
            headers={"run": run},
            body={"display_name": "okta"},
            status=503 if ":503:" in fault else 200,
            organization_id="organization-1",
            connection_id=connection_id,
            applied=not fault.endswith("before"),
            faults=(fault,) if fault else (),
        )
        self.requests.append(request)
        return self

    def creates(self, run: str, connection_id: str) -> Log:
        return self.add(run, "create", connection_id).add(run, "update", connection_id)

    def reads(self, run: str, fault: str = "") -> Log:
        return self.add(run, "list", fault=fault)

    def trace(self, *killed: str, lists_lag: bool = False) -> Trace:
        return Trace(
            requests=tuple(self.requests),
            runner=lambda entry: entry.headers["run"],
            killed=killed,
            lists_lag=lists_lag,
        )


def judged(trace: Trace, *configured: str, pending: str = "", edited: Collection[str] = ()) -> Reckoning:
    reckoning = Reckoning()
    live = [(connection_id, "client") for connection_id in configured] + [(pending, "")] * bool(pending)
    judge_twins(
        trace,
        reckoning,
        [
            {
                "connection_id": connection_id,
                "client_id": client_id,
                "display_name": "okta",
                "organization_id": "organization-1",
            }
            for connection_id, client_id in live
        ],
        edited,
    )
    return reckoning


def left_by_second() -> Log:
    """The first has finished with its own before the second configures another one."""
    return Log().creates("first", A).reads("first").creates("second", B)


def test_a_run_that_was_killed_after_its_update_and_before_it_read_is_excused() -> None:
    reckoning = judged(left_by_second().trace("second"), A, B)
    assert reckoning.wrong == []
    assert reckoning.counts[LEFT_BY_A_KILL] == 1


def test_a_run_that_was_killed_while_it_waited_for_the_other_is_excused() -> None:
    log = left_by_second().reads("second").reads("second")
    assert judged(log.trace("second"), A, B).wrong == []


@pytest.mark.parametrize(
    "killed", [(), ("first",), ("third",)], ids=["nobody", "who has finished", "a third"]
)
def test_no_other_kill_excuses_two(killed: tuple[str, ...]) -> None:
    """A freeze is not in the trace at all, so it never excuses anything."""
    log = left_by_second().reads("second").reads("third")
    reckoning = judged(log.trace(*killed), A, B)
    assert len(reckoning.wrong) == 1
    assert reckoning.counts[LEFT_BY_A_KILL] == 0


def test_a_run_that_was_killed_after_the_end_of_its_wait_excuses_nothing() -> None:
    """It has seen its own as the only one; so whoever configures another one later has to see that."""
    log = Log().creates("second", B).reads("second").creates("first", A).reads("first")
    assert judged(log.trace("second"), A, B).wrong


def test_a_run_that_lives_and_has_seen_both_has_to_withdraw_though_the_other_was_killed() -> None:
    log = Log().creates("second", B).creates("first", A).reads("first").reads("first")
    assert judged(log.trace("second"), A, B).wrong


def test_what_a_run_saw_before_its_own_update_does_not_end_its_wait() -> None:
    log = Log().reads("first").creates("second", B).creates("first", A).reads("first")
    assert judged(log.trace("second"), A, B).wrong


def test_a_run_that_asked_in_vain_to_delete_its_own_may_keep_it_beside_what_a_killed_one_left() -> None:
    log = (
        Log().creates("second", B).creates("first", A).reads("first").add("first", "delete", A, "500:before")
    )
    reckoning = judged(log.trace("second"), A, B)
    assert (reckoning.wrong, reckoning.counts[KEPT_BY_THE_SERVICE]) == ([], 1)
    assert judged(log.trace(), A, B).wrong


def test_only_a_run_s_own_request_to_delete_its_own_connection_excuses_it() -> None:
    asked = Log().creates("second", B).creates("first", A).reads("first")
    for run, connection_id in (("second", A), ("third", A), ("first", B), ("first", C)):
        log = Log(list(asked.requests)).add(run, "delete", connection_id, "500:before")
        assert judged(log.trace("second"), A, B).wrong


def test_a_killed_run_has_kept_nothing_though_it_asked_in_vain() -> None:
    log = Log().creates("second", B).creates("first", A).reads("first")
    log.add("second", "delete", B, "500:before")
    assert judged(log.trace("second"), A, B).wrong


def test_beside_what_a_killed_run_had_finished_with_nothing_excuses_another_one() -> None:
    log = Log().creates("second", B).reads("second").creates("first", A).reads("first")
    assert judged(log.add("first", "delete", A, "500:before").trace("second"), A, B).wrong


def test_a_run_that_had_seen_the_other_before_its_update_is_not_excused_by_its_death() -> None:
    log = Log().creates("first", A).reads("first").add("second", "create", B).reads("second")
    assert judged(log.add("second", "update", B).trace("second"), A, B).wrong


def test_a_reading_that_did_not_arrive_is_none() -> None:
    log = Log().creates("first", A).reads("first", "list-connections:truncated").creates("second", B)
    assert judged(log.trace("second"), A, B).wrong
    slow = Log().creates("first", A).reads("first", "*:latency:seconds=0.02").creates("second", B)
    assert judged(slow.trace("second"), A, B).wrong == []


def test_of_three_two_have_to_be_left_by_kills() -> None:
    log = left_by_second().creates("third", C)
    assert judged(log.trace("second"), A, B, C).wrong
    assert judged(log.trace("second", "third"), A, B, C).wrong == []


def test_a_list_that_lags_may_have_shown_what_was_there_at_the_update() -> None:
    log = Log().creates("first", A).creates("second", B).reads("first")
    assert judged(log.trace("second"), A, B).wrong
    assert judged(log.trace("second", lists_lag=True), A, B).wrong == []


def test_two_of_which_one_was_there_before_are_never_excused() -> None:
    assert judged(Log().creates("second", B).trace("second"), A, B).wrong


def test_a_leftover_needs_an_interrupted_create() -> None:
    log = Log().creates("first", A).add("second", "create", B)
    assert judged(log.trace(), A, pending=B).wrong
    assert judged(log.trace("first"), A, pending=B).wrong
    killed = judged(log.trace("second"), A, pending=B)
    assert (killed.wrong, killed.counts[LEFTOVERS]) == ([], 1)
    assert judged(replace(log.trace(), cut_off={"second": 1}), A, pending=B).wrong == []
    assert judged(replace(log.trace(), cut_off={"first": 1}), A, pending=B).wrong
    lost = Log().creates("first", A).add("second", "create", B, "create-oidc-connection:reset:after")
    assert judged(lost.trace(), A, pending=B).wrong == []


def test_a_leftover_stays_if_its_run_asked_in_vain_to_delete_it() -> None:
    log = Log().creates("first", A).add("second", "create", B)
    asked = Log(list(log.requests)).add("second", "delete", B, "500:before")
    assert judged(asked.trace(), A, pending=B).wrong == []
    assert judged(Log(list(log.requests)).add("first", "delete", B, "500:before").trace(), A, pending=B).wrong
    assert judged(
        Log(list(log.requests)).add("second", "delete", C, "500:before").trace(), A, pending=B
    ).wrong


def test_a_run_misses_no_more_answers_than_it_says() -> None:
    log = Log().creates("first", A).add("second", "create", B)
    lost = Log(list(log.requests)).add("second", "create", fault="create-oidc-connection:503:before")
    assert judged(replace(lost.trace(), cut_off={"second": 1}), A, pending=B).wrong
    assert judged(replace(lost.trace(), cut_off={"second": 2}), A, pending=B).wrong == []
    another = Log(list(log.requests)).add("first", "create", fault="create-oidc-connection:503:before")
    assert judged(replace(another.trace(), cut_off={"second": 1}), A, pending=B).wrong == []


def test_what_a_person_has_edited_is_not_compared_but_the_others_are() -> None:
    log = Log().creates("first", A).creates("second", B)
    assert judged(log.trace(), A, B, edited=[A]).wrong == []
    assert judged(log.trace(), A, B, edited=[C]).wrong
    assert judged(log.creates("third", C).trace(), A, B, C, edited=[A]).wrong


def test_a_leftover_stays_beside_an_edited_one_only_if_its_run_could_see_the_edit() -> None:
    log = Log().creates("first", A).add("second", "create", B).reads("second").reads("first")
    read_at = 3
    assert judged(replace(log.trace(), edits={A: read_at}), A, pending=B).wrong == []
    assert judged(replace(log.trace(), edits={A: read_at + 1}), A, pending=B).wrong
    assert judged(replace(log.trace(), edits={C: read_at}), A, pending=B).wrong


def test_a_run_whose_lists_lag_may_have_seen_another_one_late_before_its_update() -> None:
    log = Log().creates("first", A).reads("first").add("second", "create", B).reads("second")
    log.add("second", "update", B)
    assert judged(log.trace("second"), A, B).wrong
    assert judged(log.trace("second", lists_lag=True), A, B).wrong == []


@pytest.mark.parametrize(
    ("log", "planned", "is_wrong"),
    [
        (Log().creates("first", A).add("first", "delete", A), {}, False),
        (Log().creates("second", A).add("first", "delete", A), {}, True),
        (Log().add("first", "create", A, "x:reset:after").add("first", "delete", A), {}, True),
        (Log().add("first", "delete", A), {}, True),
        (Log().add("first", "delete", A), {"first": {A}}, False),
        (Log().add("first", "delete", A), {"second": {A}}, True),
    ],
    ids=["its own", "another's", "lost answer", "from before", "planned", "planned by another"],
)
def test_a_run_deletes_what_it_planned_or_was_answered_with(
    log: Log, planned: dict[str, set[str]], is_wrong: bool
) -> None:
    reckoning = Reckoning()
    judge_deletes(log.trace(), reckoning, planned)
    assert bool(reckoning.wrong) == is_wrong
