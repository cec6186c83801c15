"""What applying does when nothing goes wrong, and when the world has moved since the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.core.change import Action
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.outcome import Applied, Failed, Skipped, Unneeded
from tests.applier.conftest import DECLARED, SECOND, absent, declare, present

if TYPE_CHECKING:
    from reconciler.core.state import DesiredConnection
    from tests.support.estate import Estate

OTHER = "https://login.acme.com"


def applied(estate: Estate, *connections: object, **options: object) -> None:
    plan = estate.plan(declare(*connections, **options))  # type: ignore[arg-type]  # passed on as given
    assert estate.apply(plan).is_complete
    assert not estate.plan(declare(*connections, **options)).has_changes  # type: ignore[arg-type]  # the same


def test_a_create_sends_a_post_a_put_and_reads_before_and_after(estate: Estate) -> None:
    estate.apply(estate.plan(declare(present())))
    assert estate.calls == {"read": 2, "create": 1, "update": 1}


def test_several_creates_share_the_reading_between_them(estate: Estate) -> None:
    estate.apply(estate.plan(declare(present(), SECOND)))
    assert estate.calls == {"read": 3, "create": 2, "update": 2}
    assert {live["display_name"] for live in estate.connections()} == {"acme okta", "acme second"}


@pytest.mark.parametrize("name", [name for name in WRITABLE_FIELDS if name != "client_secret"])
def test_every_field_that_was_edited_is_healed_by_an_update_of_that_field_alone(
    estate: Estate, name: str
) -> None:
    applied(estate, replace_pin(estate, None))
    pinned = replace_pin(estate, estate.connections()[0]["connection_id"])
    edited = {"identity_provider": "generic", "custom_scopes": "openid", "attribute_mapping": {"x": "y"}}.get(
        name, f"{OTHER}/edited"
    )
    estate.emulator.edit_connection(estate.connections()[0]["connection_id"], **{name: edited})
    plan = estate.plan(declare(pinned))
    (change,) = plan.changes
    assert change.action is Action.UPDATE
    assert change.changed == (name,)  # type: ignore[union-attr]  # it is an update
    assert estate.apply(plan).is_complete
    assert not estate.plan(declare(pinned)).has_changes


def replace_pin(estate: Estate, connection_id: str | None) -> DesiredConnection:
    return present("okta", replace(DECLARED, connection_id=connection_id))


def test_a_new_issuer_carries_the_declared_urls_along(estate: Estate) -> None:
    applied(estate, present())
    moved = replace(DECLARED, issuer=OTHER)
    plan = estate.plan(declare(present("okta", moved)))
    estate.emulator.request_log.clear()
    assert estate.apply(plan).is_complete
    (put,) = [request for request in estate.emulator.request_log if request.method == "PUT"]
    assert set(put.body) == {"issuer", "authorization_url", "token_url", "userinfo_url", "jwks_url"}
    assert estate.connections()[0]["token_url"] == DECLARED.token_url


def test_applying_a_plan_twice_does_nothing_the_second_time(estate: Estate) -> None:
    plan = estate.plan(declare(present()))
    estate.apply(plan)
    result = estate.apply(plan)
    assert [type(outcome) for outcome in result.outcomes] == [Unneeded]
    assert estate.calls == {"read": 1}
    assert result.added == 0


def test_an_update_applied_twice_does_nothing_the_second_time(estate: Estate) -> None:
    applied(estate, present())
    estate.emulator.edit_connection(estate.connections()[0]["connection_id"], client_id="other")
    plan = estate.plan(declare(present()))
    assert estate.apply(plan).changed == 1
    assert [type(outcome) for outcome in estate.apply(plan).outcomes] == [Unneeded]
    assert estate.calls == {"read": 1}


def test_a_connection_edited_since_the_plan_is_refused_alone(estate: Estate) -> None:
    applied(estate, present(), SECOND)
    for live in estate.connections():
        estate.emulator.edit_connection(live["connection_id"], jwks_url=f"{OTHER}/keys")
    plan = estate.plan(declare(present(), SECOND))
    stale = next(live for live in estate.connections() if live["display_name"] == DECLARED.display_name)
    estate.emulator.edit_connection(stale["connection_id"], token_url=f"{OTHER}/token")
    first, second = estate.apply(plan).outcomes
    assert isinstance(first, Failed)
    assert "changed since the plan: someone else changed token_url" in first.message
    assert isinstance(second, Applied)
    kept = estate.emulator.connection(stale["connection_id"])
    assert kept["token_url"] == f"{OTHER}/token"
    assert kept["jwks_url"] == f"{OTHER}/keys"


def test_a_secret_rotated_since_the_plan_is_not_overwritten(estate: Estate) -> None:
    applied(estate, present())
    connection_id = estate.connections()[0]["connection_id"]
    estate.emulator.edit_connection(connection_id, jwks_url=f"{OTHER}/keys")
    plan = estate.plan(declare(present()))
    estate.emulator.edit_connection(connection_id, client_secret="rotated in the dashboard")
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "client_secret" in outcome.message
    assert estate.connections()[0]["client_secret"] == "rotated in the dashboard"


def test_a_create_whose_name_has_appeared_since_the_plan_is_refused(estate: Estate) -> None:
    plan = estate.plan(declare(present()))
    estate.emulator.add_connection(
        "acme", display_name=DECLARED.display_name, issuer="https://else.example", client_id="x"
    )
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "a connection of that name has appeared" in outcome.message
    assert len(estate.connections()) == 1


def test_a_create_completes_what_another_run_has_begun(estate: Estate) -> None:
    plan = estate.plan(declare(present()))
    begun = estate.emulator.add_connection(
        "acme", display_name=DECLARED.display_name, identity_provider="okta"
    )
    assert estate.apply(plan).added == 1
    assert [live["connection_id"] for live in estate.connections()] == [begun["connection_id"]]


def test_a_delete_of_an_edited_connection_is_refused(estate: Estate) -> None:
    applied(estate, present())
    plan = estate.plan(declare(absent()))
    estate.emulator.edit_connection(estate.connections()[0]["connection_id"], issuer=OTHER)
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert len(estate.connections()) == 1


def test_what_is_gone_already_is_not_an_error(estate: Estate) -> None:
    applied(estate, present())
    plan = estate.plan(declare(absent()))
    estate.emulator.remove_connection(estate.connections()[0]["connection_id"])
    result = estate.apply(plan)
    assert result.is_complete
    assert result.destroyed == 0


def test_a_connection_that_became_the_default_since_the_plan_is_not_deleted(estate: Estate) -> None:
    applied(estate, present(), SECOND)
    ids = {live["display_name"]: live["connection_id"] for live in estate.connections()}
    estate.emulator.edit_organization("acme", sso_default_connection_id=ids["acme okta"])
    plan = estate.plan(declare(present(), absent("second", SECOND.connection)))
    estate.emulator.edit_organization("acme", sso_default_connection_id=ids["acme second"])
    (outcome,) = estate.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert "default connection" in outcome.message
    assert len(estate.connections()) == 2


def test_deletes_are_skipped_where_an_earlier_change_of_the_organization_failed(estate: Estate) -> None:
    applied(estate, present(), SECOND)
    ids = {live["display_name"]: live["connection_id"] for live in estate.connections()}
    estate.emulator.edit_organization("acme", sso_default_connection_id=ids["acme okta"])
    estate.emulator.edit_connection(ids["acme okta"], jwks_url=f"{OTHER}/keys")
    plan = estate.plan(declare(present(), absent("second", SECOND.connection)))
    estate.emulator.edit_connection(ids["acme okta"], jwks_url=f"{OTHER}/keys2")
    failed, skipped = estate.apply(plan).outcomes
    assert isinstance(failed, Failed)
    assert isinstance(skipped, Skipped)
    assert len(estate.connections()) == 2


def test_a_connection_that_stays_pending_is_reported(estate: Estate) -> None:
    incomplete = replace(DECLARED, jwks_url=None)
    (outcome,) = estate.apply(estate.plan(declare(present("okta", incomplete)))).outcomes
    assert isinstance(outcome, Applied)
    assert any("still pending: jwks_url is empty" in warning for warning in outcome.warnings)


def test_a_pending_connection_without_a_secret_is_said_to_lack_it(estate: Estate) -> None:
    """As plans say it: an empty secret is a secret that is missing."""
    incomplete = replace(DECLARED, client_secret=None)
    (outcome,) = estate.apply(estate.plan(declare(present("okta", incomplete)))).outcomes
    assert isinstance(outcome, Applied)
    assert any("still pending: client_secret is empty" in warning for warning in outcome.warnings)


def test_an_interrupted_run_begins_nothing_new_and_says_what_was_left(estate: Estate) -> None:
    plan = estate.plan(declare(present(), SECOND))
    estate.watcher.on_start = lambda _change: estate.stop.set()
    result = estate.apply(plan)
    assert [type(outcome) for outcome in result.outcomes] == [Applied, Skipped]
    assert result.interrupted
    assert len(estate.connections()) == 1


def test_a_plan_that_compared_no_secrets_neither_judges_nor_sends_them(estate: Estate) -> None:
    applied(estate, present())
    connection_id = estate.connections()[0]["connection_id"]
    estate.emulator.edit_connection(connection_id, client_secret="another", jwks_url=f"{OTHER}/keys")
    plan = estate.plan(declare(present()), compares_secrets=False)
    assert estate.apply(plan).changed == 1
    live = estate.emulator.connection(connection_id)
    assert (live["client_secret"], live["jwks_url"]) == ("another", DECLARED.jwks_url)
