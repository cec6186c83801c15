"""What a create does when another connection of its name comes up at the same time (product: two runs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.change import Action
from reconciler.core.outcome import Applied, Failed, Unneeded
from tests.applier.conftest import DECLARED, declare, present
from tests.support.estate import wanted
from tests.support.faulty import Fault
from tests.support.service import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from reconciler.core.outcome import Outcome
    from tests.support.estate import Estate

WIRE = wanted(present())
NAMED = {name: WIRE[name] for name in ("display_name", "identity_provider")}


def apply_with(estate: Estate, method: str, meanwhile: Callable[[], object], moment: Moment) -> Outcome:
    """Create the connection; at that moment of the first request of ``method``, something happens once."""
    plan = estate.plan(declare(present()))
    waiting = [meanwhile]

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (moment, method) and waiting:
            waiting.pop()()

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert not waiting
    return outcome


def add(estate: Estate, **wire: Any) -> str:
    connection_id = estate.emulator.add_connection("acme", **wire)["connection_id"]
    assert isinstance(connection_id, str)
    return connection_id


def ids(estate: Estate) -> list[str]:
    return [connection["connection_id"] for connection in estate.connections()]


@pytest.mark.parametrize("default", ["first-active", "never"])
def test_what_another_run_has_finished_stays_and_this_one_withdraws(estate: Estate, default: str) -> None:
    estate.emulator.set_switch("default-connection", default)
    created: list[str] = []
    outcome = apply_with(estate, "POST", lambda: created.append(add(estate, **WIRE)), Moment.DURING)
    assert isinstance(outcome, Unneeded)
    assert outcome.connection is not None
    assert ids(estate) == created == [outcome.connection.connection_id]
    assert outcome.history[-1].startswith("withdrew oidc-connection-test-")
    (delete,) = estate.emulator.request_log.of("delete-connection")
    assert delete.path.rpartition("/")[2] not in created


def test_a_withdrawal_is_no_planned_delete(estate: Estate) -> None:
    plan = estate.plan(declare(present()))

    def create(_change: object) -> None:
        add(estate, **WIRE)

    estate.watcher.on_start = create
    result = estate.apply(plan)
    assert (result.added, result.destroyed, result.is_complete) == (0, 0, True)
    assert result.count(Action.DELETE) == 0


def test_the_one_ahead_keeps_its_own_where_the_other_is_never_configured(estate: Estate) -> None:
    outcome = apply_with(estate, "POST", lambda: add(estate, **NAMED), Moment.DURING)
    assert isinstance(outcome, Applied)
    assert len(ids(estate)) == 2
    assert estate.took == pytest.approx(8.0, abs=0.5)
    (left,) = (connection for connection in estate.connections() if connection["status"] == "pending")
    assert f"{{connection_id: {left['connection_id']}, state: absent}}" in " ".join(outcome.warnings)
    (diagnostic,) = estate.plan().diagnostics
    assert (diagnostic.code, diagnostic.is_error) == ("leftover", False)
    assert not estate.plan().has_changes


def test_a_connection_that_is_configured_otherwise_stays_beside_it_and_both_are_named(estate: Estate) -> None:
    theirs = WIRE | {"client_id": "theirs"}
    outcome = apply_with(estate, "PUT", lambda: add(estate, **theirs), Moment.DURING)
    assert isinstance(outcome, Failed)
    assert len(ids(estate)) == 2
    assert all(connection_id in outcome.message for connection_id in ids(estate))
    assert estate.calls["delete"] == 0


def test_both_withdraw_where_each_takes_the_other_for_ended_and_one_begins_anew(estate: Estate) -> None:
    """The other connection goes right after this run has withdrawn because of it."""
    estate.emulator.set_switch("default-connection", "never")
    others: list[str] = []

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.DURING, "POST") and not others:
            others.append(add(estate, **WIRE))
        if (when, request.method) == (Moment.DURING, "DELETE"):
            estate.emulator.remove_connection(others[0])

    plan = estate.plan(declare(present()))
    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Applied)
    assert estate.calls["create"] == 2
    assert ids(estate) == [outcome.connection.connection_id]
    assert any(text.startswith("withdrew ") for text in outcome.history)


def test_a_run_begins_anew_only_once(estate: Estate) -> None:
    estate.emulator.set_switch("default-connection", "never")
    others: list[str] = []

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.DURING, "POST"):
            others.append(add(estate, **WIRE))
        if (when, request.method) == (Moment.DURING, "DELETE"):
            estate.emulator.remove_connection(others.pop())

    plan = estate.plan(declare(present()))
    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "withdrawn twice" in outcome.message
    assert estate.calls["create"] == 2
    assert ids(estate) == []


def test_what_was_adopted_is_never_deleted(estate: Estate) -> None:
    """It was pending when this run planned; who created it may still be there."""
    begun = add(estate, **NAMED)
    outcome = apply_with(estate, "PUT", lambda: add(estate, **WIRE), Moment.DURING)
    assert isinstance(outcome, Failed)
    assert begun in ids(estate)
    assert len(ids(estate)) == 2
    assert estate.calls["delete"] == 0
    assert all(connection_id in outcome.message for connection_id in ids(estate))


def test_each_unfinished_connection_is_waited_for_anew(estate: Estate) -> None:
    """What another run begins at the end of a wait for something else is left to it just as long."""
    plan = estate.plan(declare(present()))
    begun, lists, times = [add(estate, **NAMED)], [0], {}

    def hook(when: Moment, request: httpx.Request) -> None:
        lists[0] += (when, request.method) == (Moment.BEFORE, "GET")
        if (when, lists[0], len(begun)) == (Moment.BEFORE, 7, 1):
            estate.emulator.remove_connection(begun[0])
            begun.append(add(estate, **NAMED))
            times["begun"] = estate.seconds
        if (when, request.method) == (Moment.BEFORE, "PUT"):
            times.setdefault("completed", estate.seconds)

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Applied)
    assert ids(estate) == begun[1:]
    assert times["completed"] - times["begun"] == pytest.approx(8.0, abs=0.5)


def test_a_run_gives_up_where_others_begin_and_withdraw_again_and_again(estate: Estate) -> None:
    plan = estate.plan(declare(present()))
    begun = [add(estate, **NAMED)]

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.BEFORE, "GET"):
            estate.emulator.remove_connection(begun[-1])
            begun.append(add(estate, **NAMED))

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith("connections of that name come and go again and again")
    assert estate.took < 60
    assert not estate.emulator.request_log.of("update-oidc-connection")


def test_what_was_edited_since_it_was_written_is_not_withdrawn(estate: Estate) -> None:
    plan = estate.plan(declare(present()))
    edited: list[str] = []

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.DURING, "POST") and not edited:
            add(estate, **WIRE)
        if (when, request.method) == (Moment.AFTER, "PUT") and not edited:
            edited.append(request.url.path.rpartition("/")[2])
            estate.emulator.edit_connection(edited[0], client_id="theirs")

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert edited[0] in ids(estate)
    assert estate.calls["delete"] == 0


def test_a_refused_withdrawal_leaves_the_connection_and_waits_for_the_other_run(estate: Estate) -> None:
    """The other run withdraws at the end of its wait; here, its connection goes after the refusal."""
    estate.emulator.set_switch("default-connection", "never")
    plan = estate.plan(declare(present()))
    others: list[str] = []
    estate.emulator.set_switch("jit-list", "rejected")

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.DURING, "POST") and not others:
            others.append(add(estate, **WIRE))
        if (when, request.method) == (Moment.BEFORE, "DELETE"):
            mine = request.url.path.rpartition("/")[2]
            estate.emulator.edit_organization("acme", sso_jit_provisioning_allowed_connections=[mine])
        if (when, request.method) == (Moment.AFTER, "DELETE"):
            estate.emulator.remove_connection(others[0])

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Applied)
    assert any("refuses to delete" in text for text in outcome.history)
    assert ids(estate) == [outcome.connection.connection_id]


def refuse_withdrawals(estate: Estate, meanwhile: Callable[[Moment, httpx.Request], None]) -> Outcome:
    """Create the connection; the service refuses to delete what the run asks for."""
    estate.emulator.set_switch("default-connection", "never")
    estate.emulator.set_switch("jit-list", "rejected")
    plan = estate.plan(declare(present()))

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.BEFORE, "DELETE"):
            mine = request.url.path.rpartition("/")[2]
            estate.emulator.edit_organization("acme", sso_jit_provisioning_allowed_connections=[mine])
        meanwhile(when, request)

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    return outcome


def test_after_a_refused_withdrawal_a_run_that_wakes_late_is_waited_for(estate: Estate) -> None:
    """The other one was frozen until this one's wait was over, and withdraws seconds after that."""
    others: list[str] = []
    refused: list[float] = []

    def meanwhile(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.DURING, "POST"):
            others.append(add(estate, **WIRE))
        if (when, request.method) == (Moment.AFTER, "DELETE"):
            refused.append(estate.seconds)
        if (when, request.method) == (Moment.BEFORE, "GET") and refused and estate.seconds - refused[0] > 5:
            estate.emulator.remove_connection(others[0])

    outcome = refuse_withdrawals(estate, meanwhile)
    assert isinstance(outcome, Applied)
    assert ids(estate) == [outcome.connection.connection_id]
    assert estate.calls["delete"] == 1


def test_after_a_refused_withdrawal_a_run_that_never_withdraws_is_named(estate: Estate) -> None:
    """It was killed, or is frozen for longer than this one waits: there are two, so it is a failure."""

    def meanwhile(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.DURING, "POST"):
            add(estate, **WIRE)

    outcome = refuse_withdrawals(estate, meanwhile)
    assert isinstance(outcome, Failed)
    assert len(ids(estate)) == 2
    assert all(connection_id in outcome.message for connection_id in ids(estate))
    assert "has not withdrawn it" in outcome.message
    assert estate.calls["delete"] == 1
    assert estate.took == pytest.approx(16.0, abs=0.5)


def test_what_the_service_has_refused_to_delete_is_not_asked_for_again(estate: Estate) -> None:
    """It was pending, and is completed after all; then another run completes one as well."""
    others: list[str] = []
    estate.emulator.add_fault("create-oidc-connection:latency:seconds=5")

    def meanwhile(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) in {(Moment.AFTER, "POST"), (Moment.DURING, "PUT")}:
            others.append(add(estate, **WIRE))
        if (when, request.method) == (Moment.AFTER, "DELETE"):
            estate.emulator.remove_connection(others[0])

    outcome = refuse_withdrawals(estate, meanwhile)
    assert isinstance(outcome, Failed)
    assert len(ids(estate)) == 2
    assert estate.calls["delete"] == 1


def test_a_withdrawal_that_is_late_reads_first(estate: Estate) -> None:
    """It was refused for the rate; by the time it may be sent, the other connection is gone."""
    estate.emulator.set_switch("default-connection", "never")
    estate.emulator.add_fault("delete-connection:429:first=1,retry-after=2")
    others: list[str] = []
    plan = estate.plan(declare(present()))

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.DURING, "POST"):
            others.append(add(estate, **WIRE))
        if (when, request.method) == (Moment.AFTER, "DELETE"):
            estate.emulator.remove_connection(others[0])

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Applied)
    assert ids(estate) == [outcome.connection.connection_id]
    assert estate.emulator.request_log.of("create-oidc-connection")[-1].connection_id == ids(estate)[0]


def test_a_create_that_is_late_reads_first(estate: Estate) -> None:
    """It was refused for the rate; by the time it may be sent, another run has created the connection."""
    estate.emulator.add_fault("create-oidc-connection:429:first=1,retry-after=2")
    theirs: list[str] = []
    outcome = apply_with(estate, "POST", lambda: theirs.append(add(estate, **WIRE)), Moment.AFTER)
    assert isinstance(outcome, Unneeded)
    assert ids(estate) == theirs
    assert not any(create.applied for create in estate.emulator.request_log.of("create-oidc-connection"))


@pytest.mark.parametrize(("theirs", "seconds"), [("zzz", 0.0), ("000", 8.0)], ids=["default", "smaller id"])
def test_the_default_connection_is_read_when_there_is_something_to_compare(
    estate: Estate, theirs: str, seconds: float
) -> None:
    """The one ahead waits, the one behind does not; the organization had no default when it was planned."""
    is_default = theirs == "zzz"
    connection_id = f"oidc-connection-test-{theirs}"
    estate.emulator.set_switch("default-connection", "first-active" if is_default else "never")
    estate.emulator.set_switch("delete-default", "allowed")

    def create() -> None:
        add(estate, connection_id=connection_id, **WIRE)
        if not is_default:
            (mine,) = (one for one in ids(estate) if one != connection_id)
            estate.emulator.edit_organization("acme", sso_default_connection_id=mine)

    outcome = apply_with(estate, "PUT", create, Moment.AFTER if not is_default else Moment.BEFORE)
    assert isinstance(outcome, Unneeded)
    assert ids(estate) == [connection_id]
    assert estate.took == pytest.approx(seconds, abs=0.5)


def test_a_run_that_was_frozen_before_its_update_wakes_into_fresh_knowledge(estate: Estate) -> None:
    """Its own connection is pending, and another run has finished meanwhile: it withdraws without a PUT."""
    plan = estate.plan(declare(present()))
    estate.emulator.add_fault("create-oidc-connection:latency:seconds=5")

    def hook(when: Moment, request: httpx.Request) -> None:
        if (when, request.method) == (Moment.AFTER, "POST"):
            add(estate, **WIRE)

    estate.hook = hook
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Unneeded)
    assert estate.emulator.request_log.of("update-oidc-connection") == ()
    assert len(ids(estate)) == 1


def test_an_update_is_not_sent_again_where_another_run_has_finished_meanwhile(estate: Estate) -> None:
    """Its answer was lost, and it had no effect: what was live before it was sent is old by now."""
    theirs: list[str] = []
    fault = Fault("update", meanwhile=lambda: theirs.append(add(estate, **WIRE)))
    (outcome,) = estate.apply(estate.plan(declare(present())), fault).outcomes
    assert isinstance(outcome, Unneeded)
    assert ids(estate) == theirs
    assert estate.calls["update"] == 1
    assert not estate.emulator.request_log.of("update-oidc-connection")


def test_a_lost_withdrawal_of_what_was_never_configured_is_sent_again(estate: Estate) -> None:
    theirs: list[str] = []
    plan = estate.plan(declare(present()))
    lost = Fault("update", meanwhile=lambda: theirs.append(add(estate, **WIRE)))
    (outcome,) = estate.apply(plan, lost, Fault("delete")).outcomes
    assert isinstance(outcome, Unneeded)
    assert ids(estate) == theirs
    assert estate.calls["delete"] == 2


def test_what_was_never_configured_is_completed_where_the_other_run_has_withdrawn(estate: Estate) -> None:
    estate.emulator.set_switch("default-connection", "never")
    theirs: list[str] = []
    plan = estate.plan(declare(present()))
    lost = Fault("update", meanwhile=lambda: theirs.append(add(estate, **WIRE)))
    gone = Fault("delete", meanwhile=lambda: estate.emulator.remove_connection(theirs[0]))
    (outcome,) = estate.apply(plan, lost, gone).outcomes
    assert isinstance(outcome, Applied)
    assert estate.calls["create"] == 1
    assert ids(estate) == [outcome.connection.connection_id]


def test_an_untouched_leftover_goes_with_prune(estate: Estate) -> None:
    add(estate, **WIRE)
    left = add(estate, **NAMED)
    plan = estate.plan(declare(present(), prune=True))
    (delete,) = plan.changes
    assert (delete.action, delete.reason) == (Action.DELETE, "delete_because_left_behind")
    assert estate.apply(plan).destroyed == 1
    assert left not in ids(estate)


def test_a_create_needs_no_more_requests_where_nobody_else_is_there(estate: Estate) -> None:
    """A plan reads the organization and its connections; an apply reads, sends a POST and a PUT, reads."""
    estate.emulator.request_log.clear()
    plan = estate.plan(declare(present("okta", DECLARED)))
    planned = len(list(estate.emulator.request_log))
    estate.apply(plan)
    requests = [request.operation for request in estate.emulator.request_log]
    assert requests[planned:] == [
        "list-connections",
        "create-oidc-connection",
        "update-oidc-connection",
        "list-connections",
    ]
    assert requests[:planned] == ["get-organization", "list-connections"]
