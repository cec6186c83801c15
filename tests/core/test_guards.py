"""Which deletes are refused."""

from __future__ import annotations

from reconciler.core.guards import reason_to_keep
from reconciler.core.state import OtherConnection
from tests.support.values import codes, declared, desired, live, live_connection, plan

ONE = live_connection(1, display_name="one")
TWO = live_connection(2, display_name="two")
ID = "oidc-connection-test-1"


def test_the_default_stays_while_others_do() -> None:
    state = live(ONE, TWO, default_connection_id=ID)
    assert (reason_to_keep(ID, {ID}, state) or ("",))[0] == "default-connection"
    assert reason_to_keep("oidc-connection-test-2", {"oidc-connection-test-2"}, state) is None


def test_the_default_may_go_with_all_others_or_alone() -> None:
    state = live(ONE, TWO, default_connection_id=ID)
    assert reason_to_keep(ID, {ID, "oidc-connection-test-2"}, state) is None
    assert reason_to_keep(ID, {ID}, live(ONE, default_connection_id=ID)) is None


def test_a_foreign_connection_is_an_other_one() -> None:
    saml = OtherConnection(kind="saml", connection_id="saml-connection-test-1")
    state = live(ONE, default_connection_id=ID, foreign=(saml,))
    assert (reason_to_keep(ID, {ID}, state) or ("",))[0] == "default-connection"


def test_the_last_active_one_stays_where_only_sso_is_allowed() -> None:
    pending = live_connection(2, status="pending")
    assert (reason_to_keep(ID, {ID}, live(ONE, pending, sso_only=True)) or ("",))[0] == "lock-out"
    assert reason_to_keep(ID, {ID}, live(ONE, TWO, sso_only=True)) is None
    assert reason_to_keep(ID, {ID}, live(ONE, pending)) is None


def test_an_active_foreign_connection_keeps_the_door_open() -> None:
    saml = OtherConnection(kind="saml", connection_id="saml-connection-test-1", is_active=True)
    assert reason_to_keep(ID, {ID}, live(ONE, sso_only=True, foreign=(saml,))) is None


def test_a_pending_connection_locks_nobody_out() -> None:
    pending = live_connection(1, status="pending")
    assert reason_to_keep(ID, {ID}, live(pending, sso_only=True)) is None


def test_one_protected_connection_refuses_all_of_the_organization() -> None:
    organization = desired(
        declared("one", absent=True, prevent_destroy=True), declared("two", client_id="new"), declared("new")
    )
    organization_plan = plan(organization, live(ONE, TWO))
    assert codes(organization_plan) == ["prevent-destroy"]
    assert organization_plan.changes == ()
