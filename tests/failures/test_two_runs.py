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


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("scene", ["create", "mixed"])
def test_a_double_is_spoken_of_and_everything_else_converges(scene: str, seed: int) -> None:
    estate = set_up(BATCHES[scene]())
    chance = random.Random(seed)
    estate.emulator.context.chance.seed(seed)
    estate.emulator.add_fault("*:latency:seconds=0.01,up-to=0.5")
    results = both(estate, chance.choice([0.0, 0.1, 0.5, 1.0]))
    doubled = set(estate.doubled())
    failed = [*results[0].failed, *results[1].failed]
    assert doubled <= {
        str(outcome.address) for outcome in failed if "delete the wrong one" in outcome.message
    }
    skipped = {str(outcome.address) for result in results for outcome in result.skipped}
    assert set(estate.unheld()) <= skipped | {str(outcome.address) for outcome in failed}
    estate.emulator.clear_faults()
    plan = estate.plan()
    assert {
        diagnostic.address for diagnostic in plan.diagnostics if diagnostic.code == "ambiguous-match"
    } == doubled


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


def test_a_double_is_settled_by_deleting_one_as_the_message_says() -> None:
    estate = set_up(BATCHES["create"]())
    estate.emulator.add_fault("create-oidc-connection:latency:seconds=1")
    both(estate, 0.0)
    assert estate.doubled()
    for desired in estate.desired.connections:
        for superfluous in estate.live(desired)[1:]:
            estate.emulator.remove_connection(superfluous["connection_id"])
    assert estate.reconcile().is_complete
    assert estate.unheld() == ()
