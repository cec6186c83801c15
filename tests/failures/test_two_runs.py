"""Two applies at once on one estate: no lost update, and no double that nobody speaks of."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.failures.matrix import set_up
from tests.failures.operations import BATCHES

if TYPE_CHECKING:
    from reconciler.core.outcome import ApplyResult
    from tests.support.estate import Estate


def both(estate: Estate, seconds_between: float) -> tuple[ApplyResult, ApplyResult]:
    """Plan and apply twice, the second run beginning a little later."""

    async def plan_and_apply(name: str, delay: float) -> ApplyResult:
        await asyncio.sleep(delay)
        return await estate.applied(await estate.planned(name), name)

    async def main() -> tuple[ApplyResult, ApplyResult]:
        return await asyncio.gather(plan_and_apply("first", 0.0), plan_and_apply("second", seconds_between))

    results: tuple[ApplyResult, ApplyResult] = estate.run(main())
    return results


@pytest.mark.parametrize(
    "seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.proofs) for seed in range(5, 40))]
)
@pytest.mark.parametrize("scene", ["create", "mixed"])
def test_nothing_is_doubled_and_everything_converges(scene: str, seed: int) -> None:
    estate = set_up(BATCHES[scene]())
    chance = random.Random(seed)
    estate.emulator.context.chance.seed(seed)
    estate.emulator.add_fault("*:latency:seconds=0.01,up-to=0.5")
    results = both(estate, chance.choice([0.0, 0.1, 0.5, 1.0]))
    assert estate.doubled() == ()
    failed = {str(outcome.address) for result in results for outcome in result.failed}
    skipped = {str(outcome.address) for result in results for outcome in result.skipped}
    assert set(estate.unheld()) <= skipped | failed
    created = {str(address.address) for address in estate.desired.connections if not address.is_absent}
    assert not created & set(estate.unheld())
    estate.emulator.clear_faults()
    estate.reconcile()
    assert estate.unheld() == ()
    assert not estate.plan().has_changes


def test_the_second_run_finds_what_the_first_has_created_and_creates_nothing() -> None:
    estate = set_up(BATCHES["create"]())
    first, second = both(estate, 60.0)
    assert first.added == 3
    assert second.outcomes == ()


def test_a_run_completes_what_another_one_has_begun_instead_of_doubling_it() -> None:
    """Both planned to create; the second sees, right before its write, what the first has done."""
    estate = set_up(BATCHES["create"]())
    plan = estate.plan()
    assert estate.apply(plan).added == 3
    again = estate.apply(plan)
    assert len(again.unneeded) == 3
    assert estate.doubled() == ()


@pytest.mark.parametrize("default", ["first-active", "first-created", "never"])
@pytest.mark.parametrize("refused", ["rejected", "allowed", "reassigns"])
def test_creates_in_the_same_moment_leave_one_connection_each(default: str, refused: str) -> None:
    """Also where the service refuses to delete the default connection; both runs end well."""
    estate = set_up(BATCHES["create"]())
    estate.emulator.set_switch("default-connection", default)
    estate.emulator.set_switch("delete-default", refused)
    estate.emulator.add_fault("create-oidc-connection:latency:seconds=1")
    results = both(estate, 0.0)
    assert len(estate.emulator.request_log.of("delete-connection")) == 3, "both have created all"
    assert estate.doubled() == ()
    assert estate.unheld() == ()
    assert all(result.is_complete for result in results)
    assert sum(result.added for result in results) == 3
    assert all(result.destroyed == 0 for result in results)
    history = [text for result in results for outcome in result.unneeded for text in outcome.history]
    assert len([text for text in history if text.startswith("withdrew ")]) == 3
