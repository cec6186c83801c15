"""Which of several connections of one name stays: every step of the order, and the end of each wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.change import Create
from reconciler.core.secret import Secret
from reconciler.core.withdrawal import (
    Conflict,
    Keep,
    Leave,
    OwnConnection,
    Wait,
    Withdraw,
    decide_after_update,
    decide_before_update,
)
from tests.support.values import declared, live, live_connection

if TYPE_CHECKING:
    from reconciler.core.connection import OidcConnection
    from reconciler.core.withdrawal import Decision

VALUES: dict[str, Any] = {"identity_provider": "okta", "issuer": "https://a.example", "client_id": "a"}
DECLARED = declared("okta", **VALUES)
CHANGE = Create(address=DECLARED.address, organization_id="organization-test-1", declared=DECLARED.connection)
SMALL, MIDDLE, LARGE = "oidc-connection-test-a", "oidc-connection-test-b", "oidc-connection-test-c"


def configured(connection_id: str, **fields: Any) -> OidcConnection:
    return live_connection(display_name="okta", connection_id=connection_id, **(VALUES | fields))


def pending(connection_id: str) -> OidcConnection:
    return live_connection(
        display_name="okta", connection_id=connection_id, status="pending", client_secret=Secret("")
    )


def after(
    own_id: str, *others: OidcConnection, default: str = "", is_last: bool = False, is_own: bool = True
) -> Decision:
    """Decide after the update of a run that has configured its own connection."""
    own = OwnConnection(connection_id=own_id, can_withdraw=is_own)
    state = live(configured(own_id), *others, default_connection_id=default)
    return decide_after_update(CHANGE, state, own, {}, is_last=is_last)


def before(
    own: OidcConnection | None, *others: OidcConnection, default: str = "", is_own: bool = True
) -> Decision:
    """Decide before the late update of a run."""
    connection_id = (own and own.connection_id) or MIDDLE
    state = live(*filter(None, [own]), *others, default_connection_id=default)
    own_connection = OwnConnection(connection_id=connection_id, can_withdraw=is_own)
    return decide_before_update(CHANGE, state, own_connection, {})


@pytest.mark.parametrize("default", ["", "oidc-connection-test-of-another-name"])
def test_the_smaller_id_stays(default: str) -> None:
    assert after(SMALL, configured(LARGE), default=default) == Wait()
    assert after(LARGE, configured(SMALL), default=default) == Withdraw(SMALL)


def test_the_default_connection_stays_before_a_smaller_id() -> None:
    assert after(LARGE, configured(SMALL), default=LARGE) == Wait()
    assert after(SMALL, configured(LARGE), default=LARGE) == Withdraw(LARGE)


def test_of_several_others_the_first_is_named_as_the_one_that_stays() -> None:
    others = configured(SMALL), configured(MIDDLE)
    assert after(LARGE, *others) == Withdraw(SMALL)
    assert after(LARGE, *others, default=MIDDLE) == Withdraw(MIDDLE)
    assert after(LARGE, *others, default=LARGE, is_last=True) == Withdraw(SMALL)


def test_a_configured_connection_stays_before_a_pending_one_whatever_the_ids_and_the_default() -> None:
    assert after(LARGE, pending(SMALL), default=SMALL) == Wait()
    assert after(LARGE, pending(SMALL), default=SMALL, is_last=True) == Keep(leftovers=(SMALL,))
    assert before(pending(SMALL), configured(LARGE), default=SMALL) == Withdraw(LARGE)


def test_at_the_end_of_its_wait_the_one_ahead_withdraws_too() -> None:
    assert after(SMALL, configured(LARGE), is_last=True) == Withdraw(LARGE)


def test_who_cannot_withdraw_waits_and_at_the_end_names_both() -> None:
    assert after(LARGE, configured(SMALL), is_own=False) == Wait()
    assert after(LARGE, configured(SMALL), is_own=False, is_last=True) == Conflict(ids=(SMALL,))
    assert before(pending(LARGE), configured(SMALL), is_own=False) == Leave()


@pytest.mark.parametrize("is_last", [False, True])
def test_what_is_configured_otherwise_is_not_compared(is_last: bool) -> None:
    theirs = configured(SMALL, client_id="theirs")
    assert after(LARGE, theirs, is_last=is_last) == Conflict(ids=(SMALL,))
    assert before(pending(LARGE), theirs) == Conflict(ids=(SMALL,))


@pytest.mark.parametrize("is_own", [False, True])
def test_what_a_person_has_edited_is_not_withdrawn(is_own: bool) -> None:
    own = OwnConnection(connection_id=LARGE, can_withdraw=is_own)
    edited = configured(LARGE, client_id="theirs")
    state = live(edited, configured(SMALL))
    decision = decide_after_update(CHANGE, state, own, {}, is_last=True)
    assert decision == Conflict(ids=(SMALL,), edited=("client_id",))
    assert before(edited, configured(SMALL), is_own=is_own) == Conflict(edited=("client_id",))


def test_what_is_configured_already_is_compared_only_after_the_update() -> None:
    assert before(configured(LARGE), configured(SMALL)) == Keep()
    assert before(pending(LARGE)) == Keep()
    assert before(pending(LARGE), pending(SMALL)) == Keep()


def test_what_is_not_listed_is_waited_for_and_given_up_only_where_it_was_adopted() -> None:
    own = OwnConnection(connection_id=LARGE, can_withdraw=True)
    adopted = OwnConnection(connection_id=LARGE, can_withdraw=False)
    state = live(configured(SMALL))
    assert decide_after_update(CHANGE, state, own, {}, is_last=True) == Wait()
    assert decide_after_update(CHANGE, state, adopted, {}, is_last=False) == Wait()
    assert decide_after_update(CHANGE, state, adopted, {}, is_last=True) == Leave()


def test_alone_it_stays() -> None:
    assert after(LARGE) == Keep()
    assert after(LARGE, is_own=False) == Keep()
