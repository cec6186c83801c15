"""What applying does when nothing goes wrong, and when the world has moved since the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.core.change import Action
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.outcome import Applied, Failed, Skipped, Unneeded
from tests.applier.conftest import DECLARED, ISSUER, Bench, absent, declare, present

if TYPE_CHECKING:
    from reconciler.core.state import DesiredConnection

OTHER = "https://login.acme.com"


def applied(bench: Bench, *connections: object, **options: object) -> None:
    plan = bench.plan(declare(*connections, **options))  # type: ignore[arg-type]  # passed on as given
    assert bench.apply(plan).is_complete
    assert not bench.plan(declare(*connections, **options)).has_changes  # type: ignore[arg-type]  # the same


def test_a_create_makes_one_active_connection_and_the_next_plan_is_empty(bench: Bench) -> None:
    applied(bench, present())
    (live,) = bench.live()
    assert live["status"] == "active"
    assert live["client_secret"] == "s3cret"


def test_a_create_sends_a_post_a_put_and_reads_before_and_after(bench: Bench) -> None:
    bench.apply(bench.plan(declare(present())))
    assert bench.calls == {"read": 2, "create": 1, "update": 1}


def test_several_creates_share_the_reading_between_them(bench: Bench) -> None:
    second = replace(DECLARED, display_name="Second", client_id="0oa2")
    bench.apply(bench.plan(declare(present(), present("second", second))))
    assert bench.calls == {"read": 3, "create": 2, "update": 2}
    assert {live["display_name"] for live in bench.live()} == {"Acme Okta", "Second"}


@pytest.mark.parametrize("name", [name for name in WRITABLE_FIELDS if name != "client_secret"])
def test_every_field_that_was_edited_is_healed_by_an_update_of_that_field_alone(
    bench: Bench, name: str
) -> None:
    applied(bench, replace_pin(bench, None))
    pinned = replace_pin(bench, bench.live()[0]["connection_id"])
    edited = {
        "identity_provider": "generic",
        "custom_scopes": "openid",
        "attribute_mapping": {"x": "y"},
    }.get(name, f"{OTHER}/edited")
    bench.emulator.edit_connection(bench.live()[0]["connection_id"], **{name: edited})
    plan = bench.plan(declare(pinned))
    (change,) = plan.changes
    assert change.action is Action.UPDATE
    assert change.changed == (name,)  # type: ignore[union-attr]  # it is an update
    assert bench.apply(plan).is_complete
    assert not bench.plan(declare(pinned)).has_changes


def replace_pin(bench: Bench, connection_id: str | None) -> DesiredConnection:
    return present("okta", replace(DECLARED, connection_id=connection_id))


def test_a_new_issuer_carries_the_declared_urls_along(bench: Bench) -> None:
    applied(bench, present())
    moved = replace(DECLARED, issuer=OTHER)
    plan = bench.plan(declare(present("okta", moved)))
    bench.emulator.request_log.clear()
    assert bench.apply(plan).is_complete
    (put,) = [one for one in bench.emulator.request_log if one.method == "PUT"]
    assert set(put.body) == {"issuer", "authorization_url", "token_url", "userinfo_url", "jwks_url"}
    assert bench.live()[0]["token_url"] == f"{ISSUER}/token"


def test_applying_a_plan_twice_does_nothing_the_second_time(bench: Bench) -> None:
    plan = bench.plan(declare(present()))
    bench.apply(plan)
    result = bench.apply(plan)
    assert [type(one) for one in result.outcomes] == [Unneeded]
    assert bench.calls == {"read": 1}
    assert result.added == 0


def test_an_update_applied_twice_does_nothing_the_second_time(bench: Bench) -> None:
    applied(bench, present())
    bench.emulator.edit_connection(bench.live()[0]["connection_id"], client_id="other")
    plan = bench.plan(declare(present()))
    assert bench.apply(plan).changed == 1
    assert [type(one) for one in bench.apply(plan).outcomes] == [Unneeded]
    assert bench.calls == {"read": 1}


def test_a_connection_edited_since_the_plan_is_refused_alone(bench: Bench) -> None:
    second = present("second", replace(DECLARED, display_name="Second", client_id="0oa2"))
    applied(bench, present(), second)
    for live in bench.live():
        bench.emulator.edit_connection(live["connection_id"], jwks_url=f"{OTHER}/keys")
    plan = bench.plan(declare(present(), second))
    stale = next(live for live in bench.live() if live["display_name"] == "Acme Okta")
    bench.emulator.edit_connection(stale["connection_id"], token_url=f"{OTHER}/token")
    first, other = bench.apply(plan).outcomes
    assert isinstance(first, Failed)
    assert "changed since the plan: somebody else has changed token_url" in first.message
    assert isinstance(other, Applied)
    kept = bench.emulator.connection(stale["connection_id"])
    assert kept["token_url"] == f"{OTHER}/token"
    assert kept["jwks_url"] == f"{OTHER}/keys"


def test_a_secret_rotated_since_the_plan_is_not_overwritten(bench: Bench) -> None:
    applied(bench, present())
    connection_id = bench.live()[0]["connection_id"]
    bench.emulator.edit_connection(connection_id, jwks_url=f"{OTHER}/keys")
    plan = bench.plan(declare(present()))
    bench.emulator.edit_connection(connection_id, client_secret="rotated in the dashboard")
    (outcome,) = bench.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "client_secret" in outcome.message
    assert bench.live()[0]["client_secret"] == "rotated in the dashboard"


def test_a_create_whose_name_has_appeared_since_the_plan_is_refused(bench: Bench) -> None:
    plan = bench.plan(declare(present()))
    bench.emulator.add_connection(
        "acme", display_name="Acme Okta", issuer="https://else.example", client_id="x"
    )
    (outcome,) = bench.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "a connection of that name has appeared" in outcome.message
    assert len(bench.live()) == 1


def test_a_create_completes_what_another_run_has_begun(bench: Bench) -> None:
    plan = bench.plan(declare(present()))
    begun = bench.emulator.add_connection("acme", display_name="Acme Okta", identity_provider="okta")
    assert bench.apply(plan).added == 1
    assert [live["connection_id"] for live in bench.live()] == [begun["connection_id"]]


def test_a_tombstone_deletes_and_the_next_plan_is_empty(bench: Bench) -> None:
    applied(bench, present())
    applied(bench, absent())
    assert bench.live() == ()


def test_a_delete_of_an_edited_connection_is_refused(bench: Bench) -> None:
    applied(bench, present())
    plan = bench.plan(declare(absent()))
    bench.emulator.edit_connection(bench.live()[0]["connection_id"], issuer=OTHER)
    (outcome,) = bench.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert len(bench.live()) == 1


def test_what_is_gone_already_is_not_an_error(bench: Bench) -> None:
    applied(bench, present())
    plan = bench.plan(declare(absent()))
    bench.emulator.remove_connection(bench.live()[0]["connection_id"])
    result = bench.apply(plan)
    assert result.is_complete
    assert result.destroyed == 0


def test_a_connection_that_became_the_default_since_the_plan_is_not_deleted(bench: Bench) -> None:
    second = present("second", replace(DECLARED, display_name="Second", client_id="0oa2"))
    applied(bench, present(), second)
    ids = {live["display_name"]: live["connection_id"] for live in bench.live()}
    bench.emulator.edit_organization("acme", sso_default_connection_id=ids["Acme Okta"])
    plan = bench.plan(declare(present(), absent("second", second.connection)))
    bench.emulator.edit_organization("acme", sso_default_connection_id=ids["Second"])
    (outcome,) = bench.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "default connection" in outcome.message
    assert len(bench.live()) == 2


def test_deletes_are_skipped_where_an_earlier_change_of_the_organization_failed(bench: Bench) -> None:
    second = present("second", replace(DECLARED, display_name="Second", client_id="0oa2"))
    applied(bench, present(), second)
    ids = {live["display_name"]: live["connection_id"] for live in bench.live()}
    bench.emulator.edit_organization("acme", sso_default_connection_id=ids["Acme Okta"])
    bench.emulator.edit_connection(ids["Acme Okta"], jwks_url=f"{OTHER}/keys")
    plan = bench.plan(declare(present(), absent("second", second.connection)))
    bench.emulator.edit_connection(ids["Acme Okta"], jwks_url=f"{OTHER}/keys2")
    failed, skipped = bench.apply(plan).outcomes
    assert isinstance(failed, Failed)
    assert isinstance(skipped, Skipped)
    assert len(bench.live()) == 2


def test_a_field_that_does_not_hold_is_corrected_once_and_then_reported(bench: Bench) -> None:
    applied(bench, present("okta", replace(DECLARED, attribute_mapping={"groups": "groups", "x": "y"})))
    bench.emulator.set_switch("attribute-mapping", "merges")
    plan = bench.plan(declare(present()))
    (outcome,) = bench.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "did not converge: attribute_mapping is" in outcome.message
    assert bench.calls["update"] == 2


def test_a_connection_that_stays_pending_is_reported(bench: Bench) -> None:
    incomplete = replace(DECLARED, jwks_url=None)
    (outcome,) = bench.apply(bench.plan(declare(present("okta", incomplete)))).outcomes
    assert isinstance(outcome, Applied)
    assert any("still pending: jwks_url is empty" in warning for warning in outcome.warnings)


def test_an_interrupted_run_begins_nothing_new_and_says_what_was_left(bench: Bench) -> None:
    second = present("second", replace(DECLARED, display_name="Second", client_id="0oa2"))
    plan = bench.plan(declare(present(), second))
    bench.watcher.on_start = lambda _change: bench.stop.set()
    result = bench.apply(plan)
    assert [type(one) for one in result.outcomes] == [Applied, Skipped]
    assert result.interrupted
    assert len(bench.live()) == 1


def test_a_plan_that_compared_no_secrets_neither_judges_nor_sends_them(bench: Bench) -> None:
    applied(bench, present())
    connection_id = bench.live()[0]["connection_id"]
    bench.emulator.edit_connection(connection_id, client_secret="another", jwks_url=f"{OTHER}/keys")
    plan = bench.plan(declare(present()), compares_secrets=False)
    assert bench.apply(plan).changed == 1
    live = bench.emulator.connection(connection_id)
    assert (live["client_secret"], live["jwks_url"]) == ("another", f"{ISSUER}/keys")
