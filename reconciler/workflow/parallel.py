"""Doing the same to many things, a few at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

Item = TypeVar("Item")


async def for_each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, concurrency: int
) -> None:
    """Await ``work`` for every item, at most ``concurrency`` at once; items are taken as needed.

    Raises:
        ReconcilerError: the first one that ``work`` raised; the others were cancelled.
    """
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(concurrency):
                tasks.create_task(worker())
    except* ReconcilerError as errors:
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[ReconcilerError]) -> ReconcilerError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, ReconcilerError)
    return found
