"""Who means whom; what the golden cases of ``tests/plans`` do not show."""

from __future__ import annotations

import pytest

from reconciler.core.change import Create, Update
from reconciler.core.state import OtherConnection
from tests.support.values import codes, declared, desired, live, live_connection, plan

ONE = "oidc-connection-test-1"
TWO = "oidc-connection-test-2"


@pytest.mark.parametrize("kind", ["saml", "external", "kind-of-tomorrow"])
def test_a_pin_on_a_foreign_connection_is_refused(kind: str) -> None:
    foreign = OtherConnection(kind=kind, connection_id="x-connection-test-1", display_name="okta")
    organization_plan = plan(desired(declared(connection_id="x-connection-test-1")), live(foreign=(foreign,)))
    assert codes(organization_plan) == ["pin-not-live"]
    assert (
        f"pinned to a {kind} connection, which is never touched" in organization_plan.diagnostics[0].summary
    )


def test_a_foreign_connection_of_the_declared_name_is_no_candidate() -> None:
    foreign = OtherConnection(kind="saml", connection_id="saml-connection-test-1", display_name="okta")
    (change,) = plan(desired(declared()), live(foreign=(foreign,))).changes
    assert isinstance(change, Create)


def test_names_are_compared_exactly() -> None:
    for other in ("Okta", "okta ", "\uff4fkta"):
        (change,) = plan(desired(declared()), live(live_connection(1, display_name=other))).changes
        assert isinstance(change, Create)


def test_the_present_name_comes_before_a_previous_one() -> None:
    state = live(live_connection(1, display_name="old"), live_connection(2, display_name="okta"))
    organization_plan = plan(desired(declared(previous=["old"])), state)
    assert organization_plan.changes == ()
    assert [unmanaged.connection.connection_id for unmanaged in organization_plan.unmanaged] == [ONE]


def test_a_previous_name_that_is_listed_twice_is_one_name() -> None:
    state = live(live_connection(1, display_name="old"))
    (change,) = plan(desired(declared(previous=["old", "old", "okta"])), state).changes
    assert isinstance(change, Update)
    assert change.changed == ("display_name",)


def test_several_previous_names_that_are_live_are_ambiguous() -> None:
    state = live(live_connection(1, display_name="old"), live_connection(2, display_name="older"))
    organization_plan = plan(desired(declared(previous=["old", "older"])), state)
    assert codes(organization_plan) == ["ambiguous-match"]
    assert f"{ONE}, {TWO}" in organization_plan.diagnostics[0].summary


def test_two_declarations_that_were_called_the_same_are_both_named() -> None:
    state = live(live_connection(1, display_name="old"))
    organization_plan = plan(desired(declared("a", previous=["old"]), declared("b", previous=["old"])), state)
    assert codes(organization_plan) == ["claimed-twice", "claimed-twice"]
    assert [diagnostic.address for diagnostic in organization_plan.diagnostics] == ["acme/a", "acme/b"]


def test_a_name_that_moved_on_is_free_for_another() -> None:
    """``a`` was called b once, and has its present name live: b is b."""
    state = live(live_connection(1, display_name="a"), live_connection(2, display_name="b"))
    assert plan(desired(declared("a", previous=["b"]), declared("b")), state).changes == ()


def test_a_pin_settles_what_names_cannot() -> None:
    state = live(live_connection(1, display_name="b"), live_connection(2, display_name="a"))
    exchanged = desired(
        declared("a", previous=["b"], connection_id=ONE), declared("b", previous=["a"], connection_id=TWO)
    )
    first, second = plan(exchanged, state).changes
    assert isinstance(first, Update)
    assert isinstance(second, Update)
    assert (first.before.connection_id, second.before.connection_id) == (ONE, TWO)


def test_exchanged_names_are_refused_even_before_anything_is_live() -> None:
    exchanged = desired(declared("a", previous=["b"]), declared("b", previous=["a"]))
    organization_plan = plan(exchanged, live())
    assert codes(organization_plan) == ["claimed-twice", "claimed-twice"]
    assert 'the name "a"' in organization_plan.diagnostics[0].summary


def test_a_declared_delete_gives_way_to_the_declaration_of_the_present_name() -> None:
    state = live(live_connection(1, display_name="new"))
    organization_plan = plan(desired(declared("old", absent=True, previous=["new"]), declared("new")), state)
    assert organization_plan.changes == ()
    assert not organization_plan.is_refused


def test_a_pinned_delete_of_a_missing_connection_deletes_no_other_one_of_its_name() -> None:
    state = live(live_connection(2, display_name="okta"))
    organization_plan = plan(desired(declared(absent=True, connection_id=ONE)), state)
    assert organization_plan.changes == ()
    assert codes(organization_plan) == ["already-deleted"]


def test_an_orphan_under_a_previous_name_is_renamed_not_resumed() -> None:
    orphan = live_connection(1, display_name="old", status="pending")
    (change,) = plan(desired(declared(previous=["old"], client_id="x")), live(orphan)).changes
    assert isinstance(change, Update)


def test_a_pinned_orphan_is_updated_not_resumed() -> None:
    orphan = live_connection(1, display_name="okta", status="pending")
    (change,) = plan(desired(declared(connection_id=ONE, client_id="x")), live(orphan)).changes
    assert isinstance(change, Update)


def test_looking_alike_takes_issuer_and_client_id_both() -> None:
    state = live(live_connection(1, display_name="old", issuer="https://i", client_id="c"))
    for fields in ({"issuer": "https://i"}, {"client_id": "c"}, {"issuer": "https://i", "client_id": "d"}):
        assert not plan(desired(declared(**fields)), state).is_refused
    assert codes(plan(desired(declared(issuer="https://i", client_id="c")), state)) == ["looks-renamed"]


def test_a_look_alike_that_is_declared_elsewhere_is_no_hint() -> None:
    state = live(live_connection(1, display_name="first", issuer="https://i", client_id="c"))
    both = desired(declared("first"), declared("second", issuer="https://i", client_id="c"))
    (change,) = plan(both, state).changes
    assert isinstance(change, Create)


def test_names_with_quotes_are_quoted_in_the_line_to_add() -> None:
    state = live(live_connection(1, display_name='a "b" \\', issuer="https://i", client_id="c"))
    organization_plan = plan(desired(declared(issuer="https://i", client_id="c")), state)
    assert '`previous_display_names: ["a \\"b\\" \\\\"]`' in organization_plan.diagnostics[0].detail
