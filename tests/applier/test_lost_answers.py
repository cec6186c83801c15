"""Every write by an answer lost before or after its effect by how often: one converged connection."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from reconciler.core.errors import (
    AccessDenied,
    MalformedAnswer,
    RequestRejected,
    Unavailable,
    UnknownOutcome,
)
from reconciler.core.outcome import Applied, Failed, Skipped
from tests.applier.conftest import DECLARED, ISSUER, Bench, absent, declare, present
from tests.applier.faulty import Fault

LOST = [UnknownOutcome("time-out"), MalformedAnswer("cut short")]
EDITED = "https://login.acme.com"


@pytest.mark.parametrize(
    ("method", "after_effect", "error", "times"),
    list(product(["create", "update"], [False, True], LOST, [1, 2])),
)
def test_a_create_with_lost_answers_ends_in_one_connection(
    bench: Bench, method: str, after_effect: bool, error: Exception, times: int
) -> None:
    faults = [Fault(method, nth, after_effect, error) for nth in range(1, times + 1)]  # type: ignore[arg-type]  # provider errors
    result = bench.apply(bench.plan(declare(present())), *faults)
    assert result.is_complete
    assert result.added == 1
    assert len(bench.live()) == 1
    assert result.applied[0].history or not after_effect
    assert not bench.plan(declare(present())).has_changes


def test_a_lost_create_that_took_effect_is_adopted_and_not_sent_again(bench: Bench) -> None:
    result = bench.apply(bench.plan(declare(present())), Fault("create", after_effect=True))
    assert bench.calls["create"] == 1
    (live,) = bench.live()
    assert result.applied[0].history[-1] == f"adopted {live['connection_id']}"


def test_a_lost_create_is_sent_again_only_after_the_list_was_read_several_times(bench: Bench) -> None:
    bench.apply(bench.plan(declare(present())), Fault("create"))
    assert bench.calls["create"] == 2
    assert bench.naps[:3] == [0.0, 1.0, 2.0]


def test_several_new_connections_of_the_name_stop_the_create(bench: Bench) -> None:
    def another_run() -> None:
        bench.emulator.add_connection("acme", display_name="Acme Okta")

    fault = Fault("create", after_effect=True, meanwhile=another_run)
    (outcome,) = bench.apply(bench.plan(declare(present())), fault).outcomes
    assert isinstance(outcome, Failed)
    assert "2 new connections of that name appeared" in outcome.message
    assert bench.calls["create"] == 1


def test_a_twin_from_another_run_is_reported_with_what_to_do(bench: Bench) -> None:
    plan = bench.plan(declare(present()))

    def another_run(_change: object) -> None:
        bench.emulator.add_connection("acme", display_name="Acme Okta", issuer=ISSUER, client_id="0oa1")

    bench.watcher.on_start = another_run
    (outcome,) = bench.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "of the same name appeared meanwhile" in outcome.message


@pytest.mark.parametrize(("after_effect", "error"), list(product([False, True], LOST)))
def test_an_update_with_a_lost_answer_holds(bench: Bench, after_effect: bool, error: Exception) -> None:
    bench.apply(bench.plan(declare(present())))
    bench.emulator.edit_connection(bench.live()[0]["connection_id"], token_url=f"{EDITED}/token")
    fault = Fault("update", 1, after_effect, error)  # type: ignore[arg-type]  # provider errors
    result = bench.apply(bench.plan(declare(present())), fault)
    assert result.changed == 1
    assert bench.calls["update"] == (1 if after_effect else 2)
    assert not bench.plan(declare(present())).has_changes


def test_an_update_is_not_repeated_over_what_somebody_else_wrote_meanwhile(bench: Bench) -> None:
    bench.apply(bench.plan(declare(present())))
    connection_id = bench.live()[0]["connection_id"]
    bench.emulator.edit_connection(connection_id, token_url=f"{EDITED}/token")
    plan = bench.plan(declare(present()))

    def somebody_else() -> None:
        bench.emulator.edit_connection(connection_id, client_id="theirs")

    (outcome,) = bench.apply(plan, Fault("update", meanwhile=somebody_else)).outcomes
    assert isinstance(outcome, Failed)
    assert "somebody else is writing" in outcome.message
    assert bench.live()[0]["client_id"] == "theirs"


@pytest.mark.parametrize(("after_effect", "error"), list(product([False, True], LOST)))
def test_a_delete_with_a_lost_answer_is_done_once(bench: Bench, after_effect: bool, error: Exception) -> None:
    bench.apply(bench.plan(declare(present())))
    fault = Fault("delete", 1, after_effect, error)  # type: ignore[arg-type]  # provider errors
    result = bench.apply(bench.plan(declare(absent())), fault)
    assert result.destroyed == 1
    assert bench.live() == ()


def test_a_write_that_never_gets_an_answer_fails_with_what_to_do(bench: Bench) -> None:
    faults = [Fault("update", nth) for nth in (1, 2, 3)]
    (outcome,) = bench.apply(bench.plan(declare(present())), *faults).outcomes
    assert isinstance(outcome, Failed)
    assert "the next apply completes it" in outcome.message
    assert bench.apply(bench.plan(declare(present()))).added == 1
    assert len(bench.live()) == 1


@pytest.mark.parametrize(
    "error", [Unavailable("429 for two minutes"), RequestRejected("too many", status=400)]
)
@pytest.mark.parametrize("method", ["create", "update"])
def test_a_final_refusal_fails_one_connection_and_no_other(
    bench: Bench, method: str, error: Exception
) -> None:
    second = present("second", replace(DECLARED, display_name="Second", client_id="0oa2"))
    fault = Fault(method, 1, error=error)  # type: ignore[arg-type]  # provider errors
    first, other = bench.apply(bench.plan(declare(present(), second)), fault).outcomes
    assert isinstance(first, Failed)
    assert isinstance(other, Applied)
    assert bench.apply(bench.plan(declare(present(), second))).is_complete
    assert len(bench.live()) == 2


def test_denied_access_stops_the_run_and_the_rest_is_skipped(bench: Bench) -> None:
    second = present("second", replace(DECLARED, display_name="Second", client_id="0oa2"))
    plan = bench.plan(declare(present(), second))
    denied = AccessDenied("log in again", status=401, error_type="unauthorized_credentials")
    result = bench.apply(plan, Fault("update", error=denied))
    first, other = result.outcomes
    assert isinstance(first, Failed)
    assert first.error_type == "unauthorized_credentials"
    assert isinstance(other, Skipped)
    assert not result.interrupted
    assert bench.apply(bench.plan(declare(present(), second))).is_complete
    assert len(bench.live()) == 2


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_reading_that_fails_is_a_failure_and_never_nothing_there(bench: Bench, nth: int) -> None:
    second = present("second", replace(DECLARED, display_name="Second", client_id="0oa2"))
    plan = bench.plan(declare(present(), second))
    bench.apply(plan, Fault("read", nth, error=MalformedAnswer("cut short")))
    assert bench.apply(bench.plan(declare(present(), second))).is_complete
    assert len(bench.live()) == 2
