"""Awaits the same work for many items, a bounded number at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")


async def gather_bounded(
    work: Callable[[Item], Awaitable[Result]], items: Sequence[Item], *, concurrency: int
) -> list[Result]:
    """Return the result of ``work`` for every item, in their order; at most ``concurrency`` run at once.

    Raises:
        ReconcilerError: the first one that ``work`` raises; everything else is cancelled.
    """
    results: dict[int, Result] = {}
    waiting = iter(enumerate(items))

    async def take_items() -> None:
        for index, item in waiting:
            results[index] = await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(concurrency, len(items))):
                tasks.create_task(take_items())
    except* ReconcilerError as errors:
        raise _first(errors) from None
    return [results[index] for index in range(len(items))]


def _first(errors: BaseExceptionGroup[ReconcilerError]) -> ReconcilerError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ReconcilerError)
    return error
