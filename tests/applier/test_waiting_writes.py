"""A write that waits for the rate limit is sent only if nobody else has written meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reconciler.core.outcome import Failed
from tests.applier.conftest import DECLARED, absent, declare, present
from tests.support.service import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from tests.support.estate import Estate


def apply_throttled(
    estate: Estate, plan: Plan, operation: str, meanwhile: Callable[[], object]
) -> ApplyResult:
    """Apply a plan whose first write is answered by 429; while it waits, something happens once."""
    estate.emulator.add_fault(f"{operation}:429:first=1,retry-after=6")
    waiting = [meanwhile]

    def hook(moment: Moment, request: httpx.Request) -> None:
        if moment is Moment.AFTER and request.method != "GET" and waiting:
            waiting.pop()()

    estate.hook = hook
    result = estate.apply(plan)
    assert estate.took >= 6
    return result


def refused(result: ApplyResult) -> str:
    (outcome,) = result.outcomes
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("changed since the plan")
    return outcome.message


@pytest.fixture
def connection_id(estate: Estate) -> str:
    estate.apply(estate.plan(declare(present())))
    connection_id: Any = estate.connections()[0]["connection_id"]
    assert isinstance(connection_id, str)
    return connection_id


@pytest.mark.parametrize("edit", [{"client_id": "theirs"}, {"client_secret": "theirs"}])
def test_an_update_that_waited_overwrites_nothing(
    estate: Estate, connection_id: str, edit: dict[str, str]
) -> None:
    estate.emulator.edit_connection(connection_id, token_url="https://old.example.com/token")
    plan = estate.plan(declare(present()))
    result = apply_throttled(
        estate, plan, "update-oidc-connection", lambda: estate.emulator.edit_connection(connection_id, **edit)
    )
    assert next(iter(edit)) in refused(result)
    live = estate.emulator.connection(connection_id)
    assert live | edit == live
    assert live["token_url"] == "https://old.example.com/token"


def test_a_delete_that_waited_leaves_alone_what_was_renamed(estate: Estate, connection_id: str) -> None:
    plan = estate.plan(declare(absent()))
    result = apply_throttled(
        estate,
        plan,
        "delete-connection",
        lambda: estate.emulator.edit_connection(connection_id, display_name="still needed"),
    )
    assert "display_name" in refused(result)
    assert len(estate.connections()) == 1


def test_a_create_that_waited_completes_what_another_run_has_begun(estate: Estate) -> None:
    plan = estate.plan(declare(present()))

    def somebody() -> None:
        estate.emulator.add_connection("acme", display_name=DECLARED.display_name)

    assert apply_throttled(estate, plan, "create-oidc-connection", somebody).added == 1
    (connection,) = estate.connections()
    assert connection["status"] == "active"


def test_a_create_that_waited_makes_no_second_one(estate: Estate) -> None:
    plan = estate.plan(declare(present()))

    def somebody() -> None:
        estate.emulator.add_connection("acme", display_name=DECLARED.display_name, client_id="theirs")

    refused(apply_throttled(estate, plan, "create-oidc-connection", somebody))
    assert len(estate.connections()) == 1


@pytest.mark.parametrize("operation", ["create-oidc-connection", "update-oidc-connection"])
def test_what_waited_undisturbed_is_carried_out(estate: Estate, operation: str) -> None:
    plan = estate.plan(declare(present()))
    assert apply_throttled(estate, plan, operation, lambda: None).added == 1
    assert not estate.plan(declare(present())).has_changes
