"""Time and pace: deadlines end hangs, patience is bounded, and one slow organization is only that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.applier import ReadBackPolicy
from reconciler.core.outcome import Applied
from reconciler.emulator import Emulator, EmulatorSettings, RateLimit
from tests.support.estate import LIMITS, Estate, complete
from tests.support.values import manifest

if TYPE_CHECKING:
    from reconciler.core.outcome import Outcome

PATIENCE = 120
DEADLINE = 60
LONGEST = 3 * (DEADLINE + sum(ReadBackPolicy().waits) + sum(ReadBackPolicy().long_waits))
"""Seconds that one create may take of a service that never answers to it."""


def estate_of(count: int, **limits: float) -> Estate:
    emulator = Emulator(EmulatorSettings(random_seed=1))
    names = [f"org-{number}" for number in range(count)]
    for name in names:
        emulator.add_organization(name)
    estate = Estate(emulator, limits=replace(LIMITS, **limits))  # type: ignore[arg-type]  # names of limits
    estate.declare(*(manifest(name, complete(name, "one")) for name in names))
    return estate


CALLS = ["list-connections", "create-oidc-connection", "update-oidc-connection"]


@pytest.mark.parametrize("operation", CALLS)
def test_one_slow_organization_holds_up_nobody_else(operation: str) -> None:
    estate = estate_of(60)
    slow = estate.emulator.organization("org-7")["organization_id"]
    plan = estate.plan()
    estate.emulator.add_fault(f"{operation}:hang:organization={slow},seconds=3600")
    ended: dict[str, float] = {}
    begun = estate.seconds

    def take_note(outcome: Outcome) -> None:
        ended[outcome.address.organization] = estate.seconds - begun

    estate.watcher.on_finish = take_note
    result = estate.apply(plan)
    assert [outcome.address.organization for outcome in result.failed] == ["org-7"]
    assert max(seconds for name, seconds in ended.items() if name != "org-7") < 10
    assert ended["org-7"] <= LONGEST + 1


@pytest.mark.parametrize("operation", [*CALLS, "*"])
@pytest.mark.parametrize("fault", ["429", "503", "hang:seconds=3600", "reset"])
def test_an_outage_is_waited_for_once_and_not_once_per_connection(operation: str, fault: str) -> None:
    estate = estate_of(80)
    plan = estate.plan()
    estate.emulator.add_fault(f"{operation}:{fault}")
    result = estate.apply(plan)
    assert len(result.failed) == 80
    assert estate.took < PATIENCE + LONGEST
    estate.emulator.clear_faults()
    assert estate.reconcile().is_complete
    assert estate.unheld() == ()


def test_planning_an_api_that_never_answers_ends_and_names_every_organization() -> None:
    estate = estate_of(80)
    estate.emulator.add_fault("list-connections:hang:seconds=3600")
    plan = estate.plan()
    assert plan.summary.refused == 80
    assert estate.took < 2 * PATIENCE


def test_the_pace_of_the_project_file_is_kept() -> None:
    estate = estate_of(100, requests_per_second=20)
    estate.reconcile()
    requests = list(estate.emulator.request_log)
    assert estate.seconds == pytest.approx(len(requests) / 20, rel=0.1)


@pytest.mark.parametrize("form", ["absent", "seconds", "date"])
def test_a_limit_below_the_pace_is_found_and_kept(form: str) -> None:
    """Fixed windows, aligned to the clock; the plan asks for ten times what the service allows."""
    estate = estate_of(100, requests_per_second=200)
    estate.emulator.set_switch("retry-after", form)
    estate.emulator.set_rate_limits(RateLimit(20, 1.0))
    result = estate.reconcile()
    assert result.is_complete
    assert estate.doubled() == ()
    requests = list(estate.emulator.request_log)
    refused = [request for request in requests if request.status == 429]
    assert len(refused) / len(requests) < 0.2
    assert estate.seconds < 4 * len(requests) / 20


def test_a_limit_that_halves_midway_costs_no_connection() -> None:
    estate = estate_of(100, requests_per_second=100)
    plan = estate.plan()
    estate.emulator.set_rate_limits(RateLimit(100, 1.0))
    seen: list[str] = []

    def halve(outcome: object) -> None:
        seen.append(str(outcome))
        if len(seen) == 50:
            estate.emulator.set_rate_limits(RateLimit(50, 1.0))

    estate.watcher.on_finish = halve
    assert estate.apply(plan).is_complete
    assert estate.unheld() == ()


def test_a_service_that_asks_for_more_quiet_than_there_is_patience_is_reported_at_once() -> None:
    estate = estate_of(20)
    plan = estate.plan()
    estate.emulator.add_fault("create-oidc-connection:429:retry-after=3000")
    result = estate.apply(plan)
    assert len(result.failed) == 20
    assert estate.took < 10
    assert all(
        "gave up" in outcome.message or "asked for no calls" in outcome.message for outcome in result.failed
    )


def test_deadlines_end_a_hang_and_the_operation_is_finished_all_the_same() -> None:
    estate = estate_of(1)
    estate.emulator.add_fault("create-oidc-connection:hang:first=1,seconds=3600")
    (outcome,) = estate.reconcile().outcomes
    assert isinstance(outcome, Applied)
    assert "no response within 60 s" in "; ".join(outcome.history)
