"""A run that dies at any request, before it is sent, while under way, or after: the next one resumes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.failures.matrix import set_up
from tests.failures.operations import BATCHES
from tests.support.service import Moment

if TYPE_CHECKING:
    import httpx

    from tests.support.estate import Estate


def die_at(estate: Estate, number: int, moment: Moment) -> bool:
    """Plan and apply, and die at that moment of the request of that number; False if it never came."""
    count = 0
    died = False

    async def main() -> None:
        task = asyncio.create_task(plan_and_apply())

        def hook(when: Moment, _request: httpx.Request) -> None:
            nonlocal count, died
            count += when is Moment.BEFORE
            if (count, when) == (number, moment) and not died:
                died = task.cancel()

        estate.hook = hook
        with suppress(asyncio.CancelledError):
            await task

    async def plan_and_apply() -> None:
        await estate.applied(await estate.planned())

    estate.run(main())
    estate.hook = lambda _moment, _request: None
    return died


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("scene", ["create", "update", "delete", "mixed"])
def test_the_next_run_resumes_wherever_the_last_one_died(scene: str, moment: Moment) -> None:
    number = 0
    died = True
    while died:
        number += 1
        estate = set_up(BATCHES[scene]())
        died = die_at(estate, number, moment)
        assert estate.doubled() == ()
        assert estate.reconcile().is_complete
        assert estate.unheld() == ()
        assert not estate.plan().has_changes
    assert number > 10


def test_dying_again_and_again_ends_in_the_declared_connections() -> None:
    """Each run gets one request further than the one before."""
    estate = set_up(BATCHES["mixed"]())
    number = 1
    while die_at(estate, number, Moment.DURING):
        number += 1
        assert estate.doubled() == ()
    assert estate.unheld() == ()
