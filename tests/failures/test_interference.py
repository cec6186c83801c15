"""Somebody else writes while an apply runs: nothing that the plan did not show is overwritten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reconciler.core.outcome import Applied, Failed
from tests.failures.matrix import set_up
from tests.failures.operations import BATCHES, batch
from tests.support.estate import wanted
from tests.support.service import Moment

if TYPE_CHECKING:
    import httpx

    from reconciler.core.outcome import ApplyResult
    from tests.failures.operations import Operation
    from tests.support.estate import Estate

THEIRS = {"client_id": "what-a-person-typed"}


def edited_connection() -> Operation:
    return batch({"acme": "one"}, {"acme": "one"}, edited=("one",))


def person(estate: Estate, moment: Moment, method: str, **fields: str) -> None:
    """Edit the connection in the dashboard at a moment of the first request of a method."""
    done = False

    def edit(when: Moment, request: httpx.Request) -> None:
        nonlocal done
        if not done and when is moment and request.method == method:
            done = True
            (live,) = estate.live(estate.desired.connections[0])
            estate.emulator.edit_connection(live["connection_id"], **fields)

    estate.hook = edit


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.DURING])
@pytest.mark.parametrize("field", ["client_id", "token_url", "jwks_url", "client_secret", "display_name"])
def test_what_was_edited_after_the_plan_is_refused_and_left_as_it_is(moment: Moment, field: str) -> None:
    estate = set_up(edited_connection())
    plan = estate.plan()
    (live,) = estate.live(estate.desired.connections[0])
    person(estate, moment, "GET", **{field: "https://typed.example/by-a-person"})
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert outcome.error_type == "stale_plan"
    assert field in outcome.message
    assert estate.emulator.connection(live["connection_id"])[field] == "https://typed.example/by-a-person"
    assert estate.emulator.request_log.writes == ()


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_what_is_edited_around_the_write_itself_is_said_and_left_as_it_is(moment: Moment) -> None:
    """The API knows no conditional write, so only the field that is being sent can be lost here."""
    estate = set_up(edited_connection())
    plan = estate.plan()
    estate.emulator.request_log.clear()
    person(estate, moment, "PUT", **THEIRS)
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "client_id" in outcome.message
    assert "someone else is writing" in outcome.message
    assert len(estate.emulator.request_log.writes) == 1
    (live,) = estate.live(estate.desired.connections[0])
    assert live["client_id"] == THEIRS["client_id"]


def test_a_field_that_was_sent_and_then_edited_is_not_sent_again() -> None:
    estate = set_up(edited_connection())
    plan = estate.plan()
    person(estate, Moment.AFTER, "PUT", token_url="https://typed.example/token")
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    (live,) = estate.live(estate.desired.connections[0])
    assert live["token_url"] == "https://typed.example/token"


def test_what_is_edited_while_the_answer_to_an_update_is_lost_is_left_as_it_is() -> None:
    estate = set_up(edited_connection())
    plan = estate.plan()
    estate.emulator.add_fault("update-oidc-connection:reset:first=1")
    person(estate, Moment.DURING, "PUT", **THEIRS)
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "someone else is writing" in outcome.message
    (live,) = estate.live(estate.desired.connections[0])
    assert live["client_id"] == THEIRS["client_id"]


def test_a_connection_edited_after_the_plan_is_not_deleted() -> None:
    estate = set_up(BATCHES["delete"]())
    plan = estate.plan()
    to_delete = estate.desired.connections[1]
    (live,) = estate.live(to_delete)
    estate.emulator.edit_connection(live["connection_id"], **THEIRS)
    outcomes = {str(outcome.address): outcome for outcome in estate.apply(plan).outcomes}
    refused = outcomes.pop("acme/one")
    assert isinstance(refused, Failed)
    assert "client_id" in refused.message
    assert len(estate.live(to_delete)) == 1


def test_a_refusal_concerns_one_object_and_no_other() -> None:
    estate = set_up(BATCHES["update"]())
    plan = estate.plan()
    (live,) = estate.live(estate.desired.connections[0])
    estate.emulator.edit_connection(live["connection_id"], **THEIRS)
    refused, *others = estate.apply(plan).outcomes
    assert isinstance(refused, Failed)
    assert others
    assert all(isinstance(outcome, Applied) for outcome in others)


def test_a_connection_that_appears_while_a_create_is_lost_is_not_adopted_if_somebody_filled_it_in() -> None:
    """Another run has created it, and a person has edited it: it is not what this run left behind."""
    estate = set_up(batch({}, {"acme": "one"}))
    plan = estate.plan()
    estate.emulator.add_fault("create-oidc-connection:reset:first=1")
    theirs = {**wanted(estate.desired.connections[0]), **THEIRS}
    created = False

    def create(moment: Moment, request: httpx.Request) -> None:
        nonlocal created
        if not created and (moment, request.method) == (Moment.DURING, "POST"):
            created = True
            estate.emulator.add_connection("acme", **theirs)

    estate.hook = create
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "someone else set its client_id" in outcome.message
    (live,) = estate.live(estate.desired.connections[0])
    assert live["client_id"] == THEIRS["client_id"]


def test_a_delete_whose_answer_was_lost_is_not_sent_again_over_an_edit() -> None:
    estate = set_up(BATCHES["delete"]())
    plan = estate.plan()
    estate.emulator.add_fault("delete-connection:reset:first=1")
    to_delete = estate.desired.connections[1]
    (live,) = estate.live(to_delete)
    edited = False

    def edit(moment: Moment, request: httpx.Request) -> None:
        nonlocal edited
        if not edited and (moment, request.method) == (Moment.DURING, "DELETE"):
            edited = True
            estate.emulator.edit_connection(live["connection_id"], **THEIRS)

    estate.hook = edit
    outcomes = {str(outcome.address): outcome for outcome in estate.apply(plan).outcomes}
    refused = outcomes["acme/one"]
    assert isinstance(refused, Failed)
    assert "someone else changed client_id; it was left alone" in refused.message
    assert len(estate.live(to_delete)) == 1


@pytest.mark.parametrize("fault", ["429:first=1,retry-after=30", "429:first=1"])
def test_a_write_that_is_held_up_because_another_was_refused_looks_again_first(fault: str) -> None:
    """The service asks for quiet, and so every write waits: long enough for a person to come by."""
    estate = set_up(BATCHES["update"]())
    plan = estate.plan()
    estate.emulator.add_fault(f"update-oidc-connection:{fault}")
    held_up = estate.desired.connections[2]
    (live,) = estate.live(held_up)
    typed = "https://typed.example/token"

    async def person_and_run() -> ApplyResult:
        refused = asyncio.Event()
        estate.hook = lambda moment, request: (
            refused.set() if (moment, request.method) == (Moment.AFTER, "PUT") else None
        )
        run = asyncio.create_task(estate.applied(plan))
        await refused.wait()
        estate.emulator.edit_connection(live["connection_id"], token_url=typed)
        return await run

    outcomes = {str(outcome.address): outcome for outcome in estate.run(person_and_run()).outcomes}
    refused = outcomes.pop(str(held_up.address))
    assert isinstance(refused, Failed)
    assert "token_url" in refused.message
    assert estate.emulator.connection(live["connection_id"])["token_url"] == typed
    assert all(isinstance(outcome, Applied) for outcome in outcomes.values())
