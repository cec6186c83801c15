"""The next batch is made while the last one is worked on, and never more than that."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import UsageError
from reconciler.workflow.parallel import ahead, consume

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Making:
    """Makes numbers, each in two steps of the event loop, and keeps count of them."""

    def __init__(self, last: int, *, fails_after: int | None = None) -> None:
        self.last = last
        self.fails_after = fails_after
        self.begun = 0

    async def numbers(self) -> AsyncIterator[int]:
        for number in range(1, self.last + 1):
            if self.fails_after is not None and number > self.fails_after:
                raise UsageError("no more")
            self.begun = number
            await asyncio.sleep(0)
            yield number


def test_all_come_in_their_order() -> None:
    async def main() -> list[int]:
        return [number async for number in ahead(Making(5).numbers())]

    assert asyncio.run(main()) == [1, 2, 3, 4, 5]


def test_one_is_made_ahead_and_no_second_one() -> None:
    making = Making(5)

    async def main() -> list[tuple[int, int]]:
        seen = []
        async for number in ahead(making.numbers()):
            for _ in range(10):
                await asyncio.sleep(0)
            seen.append((number, making.begun))
        return seen

    assert asyncio.run(main()) == [(1, 2), (2, 3), (3, 4), (4, 5), (5, 5)]


def test_an_error_comes_after_what_was_made_before_it() -> None:
    async def main() -> None:
        numbers = ahead(Making(5, fails_after=2).numbers())
        assert [await anext(numbers), await anext(numbers)] == [1, 2]
        with pytest.raises(UsageError, match="no more"):
            await anext(numbers)

    asyncio.run(main())


def test_nothing_goes_on_when_the_work_fails() -> None:
    """Warnings are errors here: a task that was forgotten would complain."""
    making = Making(1000)

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        if number == 3:
            raise UsageError("cannot")

    async def main() -> int:
        with pytest.raises(UsageError, match="cannot"):
            await consume(ahead(making.numbers()), work, concurrency=1)
        begun = making.begun
        for _ in range(10):
            await asyncio.sleep(0)
        assert making.begun == begun
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
