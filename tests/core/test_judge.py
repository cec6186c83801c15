"""Right before a write: is live still what the plan saw?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.change import Create, Delete, Update
from reconciler.core.operation import AlreadyDone, Proceed, Stale, judge, values_to_send, with_secret
from reconciler.core.secret import Secret
from tests.support.values import choices, declared, desired, live, live_connection, plan, reference

if TYPE_CHECKING:
    from reconciler.core.change import Change
    from reconciler.core.operation import Verdict
    from reconciler.core.state import DesiredConnection, LiveOrganization

A = reference("A")
SECRETS = {A: Secret("ours")}
ID = "oidc-connection-test-1"
OLD = live_connection(1, display_name="okta", client_id="old", client_secret=Secret("theirs"))
WANTED = declared(client_id="new", client_secret=A)


def only_change(declaration: DesiredConnection, state: LiveOrganization, **more: Any) -> Change:
    (change,) = plan(desired(declaration), state, choices(SECRETS, **more)).changes
    return change


def verdict(change: Change, *connections: Any, **facts: Any) -> Verdict:
    return judge(change, live(*connections, **facts), SECRETS)


def test_a_create_goes_ahead_if_the_name_is_still_free() -> None:
    create = only_change(WANTED, live())
    assert verdict(create) == Proceed()
    assert verdict(create, live_connection(2, display_name="other")) == Proceed()


def test_a_create_finishes_what_another_run_began() -> None:
    create = only_change(WANTED, live())
    begun = live_connection(1, display_name="okta", status="pending")
    assert verdict(create, begun) == Proceed(ID)


def test_a_create_is_done_if_the_connection_is_there() -> None:
    create = only_change(WANTED, live())
    done = replace(OLD, client_id="new", client_secret=Secret("ours"))
    assert verdict(create, done) == AlreadyDone(done)


def test_a_create_gives_way_to_somebody_elses_connection() -> None:
    create = only_change(WANTED, live())
    assert verdict(create, OLD) == Stale(f"a connection of that name has appeared: {ID}")
    assert isinstance(verdict(create, OLD, replace(OLD, connection_id="oidc-connection-test-2")), Stale)


def test_a_create_does_not_mind_those_it_was_planned_beside() -> None:
    to_delete = declared("old", absent=True, connection_id=ID)
    taken = replace(OLD, display_name="okta")
    create, delete = plan(desired(WANTED, to_delete), live(taken), choices(SECRETS)).changes
    assert isinstance(create, Create)
    assert isinstance(delete, Delete)
    assert create.same_name_ids == (ID,)
    assert verdict(create, taken) == Proceed()


def test_a_resumed_create_wants_the_very_connection_it_saw() -> None:
    orphan = live_connection(1, display_name="okta", status="pending")
    create = only_change(WANTED, live(orphan))
    assert verdict(create, orphan) == Proceed(ID)
    assert verdict(create) == Stale("the unfinished connection that was to be resumed is gone")
    other = replace(orphan, connection_id="oidc-connection-test-2")
    assert verdict(create, other) == Stale("another connection has that name now: oidc-connection-test-2")


def test_an_update_goes_ahead_if_nothing_has_changed() -> None:
    assert verdict(only_change(WANTED, live(OLD)), OLD) == Proceed(ID)


def test_an_update_of_a_connection_that_is_gone_is_refused() -> None:
    assert verdict(only_change(WANTED, live(OLD))) == Stale("the connection no longer exists")


@pytest.mark.parametrize("field", ["display_name", "token_url", "client_id"])
def test_an_update_is_refused_if_anything_was_altered(field: str) -> None:
    by_somebody: dict[str, Any] = {field: "by somebody"}
    altered = replace(OLD, **by_somebody)
    assert verdict(only_change(WANTED, live(OLD)), altered) == Stale(f"someone else changed {field}")


def test_an_update_is_refused_if_the_secret_was_altered_meanwhile() -> None:
    same_secret = replace(OLD, client_secret=Secret("ours"))
    change = only_change(WANTED, live(same_secret))
    assert verdict(change, same_secret) == Proceed(ID)
    assert verdict(change, OLD) == Stale("someone else changed client_secret")


def test_an_update_is_done_if_somebody_did_the_same() -> None:
    done = replace(OLD, client_id="new", client_secret=Secret("ours"))
    assert verdict(only_change(WANTED, live(OLD)), done) == AlreadyDone(done)


def test_a_secret_that_cannot_be_compared_is_sent_when_that_was_asked_for() -> None:
    masked = replace(OLD, client_id="new", client_secret=Secret("****"))
    rotation = only_change(WANTED, live(masked), rotate=("acme/*",))
    assert isinstance(rotation, Update)
    assert rotation.changed == ("client_secret",)
    assert verdict(rotation, masked) == Proceed(ID)


def test_a_delete_goes_ahead_only_for_what_the_plan_saw() -> None:
    delete = only_change(declared(absent=True), live(OLD))
    assert verdict(delete, OLD) == Proceed(ID)
    assert verdict(delete) == AlreadyDone()
    altered = replace(OLD, issuer="https://moved.example")
    assert verdict(delete, altered) == Stale("someone else changed issuer")


def test_a_delete_asks_again_whether_anybody_is_locked_out() -> None:
    delete = only_change(declared(absent=True), live(OLD))
    answer = verdict(delete, OLD, sso_only=True)
    assert isinstance(answer, Stale)
    assert "nobody could log in" in answer.reason


def test_urls_travel_with_a_new_issuer_and_only_with_it() -> None:
    connection = declared(
        issuer="https://i", token_url="https://t", client_id="c", client_secret=A
    ).connection
    assert values_to_send(connection, ["client_id"]).declared_fields == ("client_id",)
    assert values_to_send(connection, ["issuer"]).declared_fields == ("issuer", "token_url")


def test_only_the_reference_is_replaced_by_its_secret() -> None:
    values = declared(client_id="c", client_secret=A).connection
    assert with_secret(values, SECRETS) == replace(values, client_secret=Secret("ours"))
    without = declared(client_id="c").connection
    assert with_secret(without, {}) is without


def test_an_unresolved_reference_stops_before_anything_is_sent() -> None:
    with pytest.raises(KeyError):
        with_secret(declared(client_secret=A).connection, {})
