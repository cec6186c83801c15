"""Work for many items runs in parallel, a bounded number at a time, and ends with its first error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import AccessDenied, UsageError
from reconciler.workflow.live_state import gather_bounded

if TYPE_CHECKING:
    from collections.abc import Sequence


class Work:
    """Takes longer for later numbers to begin, and counts what is under way."""

    def __init__(self, *, failing: Sequence[int] = ()) -> None:
        self.failing = failing
        self.started = 0
        self.running = 0
        self.most = 0

    async def double(self, number: int) -> int:
        self.started += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(5 + number % 3):
                await asyncio.sleep(0)
            if number in self.failing:
                raise AccessDenied(f"no {number}")
        finally:
            self.running -= 1
        return 2 * number


def gathered(work: Work, count: int, concurrency: int) -> list[int]:
    return asyncio.run(gather_bounded(work.double, range(count), concurrency=concurrency))


@pytest.mark.parametrize("count", [0, 1, 7, 100])
@pytest.mark.parametrize("concurrency", [1, 8, 1_000])
def test_results_come_in_the_order_of_the_items(count: int, concurrency: int) -> None:
    work = Work()
    assert gathered(work, count, concurrency) == [2 * number for number in range(count)]
    assert work.most == min(count, concurrency)


def test_the_first_error_ends_everything() -> None:
    """Warnings are errors here: a task that was forgotten would complain."""
    work = Work(failing=range(3, 100))

    async def main() -> int:
        with pytest.raises(AccessDenied, match=r"no [34]"):
            await gather_bounded(work.double, range(100), concurrency=5)
        started = work.started
        for _ in range(20):
            await asyncio.sleep(0)
        assert (work.started, work.running) == (started, 0)
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert work.started < 20


def test_several_errors_at_once_are_raised_as_one() -> None:
    async def fail(_item: int) -> None:
        await asyncio.sleep(0)
        raise UsageError("cannot")

    with pytest.raises(UsageError, match="cannot"):
        asyncio.run(gather_bounded(fail, range(8), concurrency=8))


def test_a_bug_is_not_hidden() -> None:
    async def fail(_item: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        asyncio.run(gather_bounded(fail, [1], concurrency=1))
