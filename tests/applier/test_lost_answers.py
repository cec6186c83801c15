"""What happens at each step where an answer is lost; `tests/failures` tries every step and fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.applier import ReadBackPolicy
from reconciler.core.errors import AccessDenied, MalformedAnswer, RequestRejected, Unavailable
from reconciler.core.outcome import Applied, Failed, Skipped
from tests.applier.conftest import DECLARED, SECOND, declare, present
from tests.support.faulty import Fault

if TYPE_CHECKING:
    from tests.support.estate import Estate

EDITED = "https://login.acme.com"


def test_a_lost_create_that_took_effect_is_adopted_and_not_sent_again(estate: Estate) -> None:
    result = estate.apply(estate.plan(declare(present())), Fault("create", after_effect=True))
    assert estate.calls["create"] == 1
    (live,) = estate.connections()
    assert result.applied[0].history[-1] == f"adopted {live['connection_id']}"


def test_a_lost_create_is_sent_again_only_after_the_list_was_read_several_times(estate: Estate) -> None:
    estate.apply(estate.plan(declare(present())), Fault("create"))
    assert estate.calls["create"] == 2
    assert estate.took > sum(ReadBackPolicy().waits)


def test_several_new_connections_of_the_name_stop_the_create(estate: Estate) -> None:
    def another_run() -> None:
        estate.emulator.add_connection("acme", display_name=DECLARED.display_name)

    fault = Fault("create", after_effect=True, meanwhile=another_run)
    (outcome,) = estate.apply(estate.plan(declare(present())), fault).outcomes
    assert isinstance(outcome, Failed)
    assert "there are now 2 connections of that name" in outcome.message
    assert estate.calls["create"] == 1


def test_a_duplicate_from_another_run_is_reported_with_what_to_do(estate: Estate) -> None:
    plan = estate.plan(declare(present()))

    def another_run(_change: object) -> None:
        estate.emulator.add_connection(
            "acme", display_name=DECLARED.display_name, issuer=DECLARED.issuer, client_id=DECLARED.client_id
        )

    estate.watcher.on_start = another_run
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "of the same name appeared in the meantime" in outcome.message


def test_an_update_is_not_repeated_over_what_somebody_else_wrote_meanwhile(estate: Estate) -> None:
    estate.apply(estate.plan(declare(present())))
    connection_id = estate.connections()[0]["connection_id"]
    estate.emulator.edit_connection(connection_id, token_url=f"{EDITED}/token")
    plan = estate.plan(declare(present()))

    def somebody_else() -> None:
        estate.emulator.edit_connection(connection_id, client_id="theirs")

    (outcome,) = estate.apply(plan, Fault("update", meanwhile=somebody_else)).outcomes
    assert isinstance(outcome, Failed)
    assert "someone else is writing" in outcome.message
    assert estate.connections()[0]["client_id"] == "theirs"


def test_a_write_that_never_gets_an_answer_fails_with_what_to_do(estate: Estate) -> None:
    faults = [Fault("update", nth) for nth in (1, 2, 3)]
    (outcome,) = estate.apply(estate.plan(declare(present())), *faults).outcomes
    assert isinstance(outcome, Failed)
    assert "the next apply completes it" in outcome.message
    assert estate.apply(estate.plan(declare(present()))).added == 1
    assert len(estate.connections()) == 1


@pytest.mark.parametrize(
    "error", [Unavailable("429 for two minutes"), RequestRejected("too many", status=400)]
)
@pytest.mark.parametrize("method", ["create", "update"])
def test_a_final_refusal_fails_one_connection_and_no_other(
    estate: Estate, method: str, error: Exception
) -> None:
    fault = Fault(method, 1, error=error)  # type: ignore[arg-type]  # provider errors
    first, second = estate.apply(estate.plan(declare(present(), SECOND)), fault).outcomes
    assert isinstance(first, Failed)
    assert isinstance(second, Applied)
    assert estate.apply(estate.plan(declare(present(), SECOND))).is_complete
    assert len(estate.connections()) == 2


def test_denied_access_stops_the_run_and_the_rest_is_skipped(estate: Estate) -> None:
    plan = estate.plan(declare(present(), SECOND))
    denied = AccessDenied("log in again", status=401, error_type="unauthorized_credentials")
    result = estate.apply(plan, Fault("update", error=denied))
    first, second = result.outcomes
    assert isinstance(first, Failed)
    assert first.error_type == "unauthorized_credentials"
    assert isinstance(second, Skipped)
    assert not result.interrupted
    assert estate.apply(estate.plan(declare(present(), SECOND))).is_complete
    assert len(estate.connections()) == 2


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_reading_that_fails_is_a_failure_and_never_nothing_there(estate: Estate, nth: int) -> None:
    plan = estate.plan(declare(present(), SECOND))
    estate.apply(plan, Fault("read", nth, error=MalformedAnswer("cut short")))
    assert estate.apply(estate.plan(declare(present(), SECOND))).is_complete
    assert len(estate.connections()) == 2
