"""Doing the same to many things, a few at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

Item = TypeVar("Item")


async def consume(
    items: AsyncIterator[Item], work: Callable[[Item], Awaitable[None]], *, concurrency: int
) -> None:
    """Await ``work`` for every item, at most ``concurrency`` at once, while items still come in.

    Items are taken only as fast as they are worked on, so that they do not pile up.

    Raises:
        ReconcilerError: the first one raised by ``work`` or ``items``; everything else is cancelled.
    """
    waiting: asyncio.Queue[Item | None] = asyncio.Queue(maxsize=2 * concurrency)

    async def produce() -> None:
        async for item in items:
            await waiting.put(item)
        for _ in range(concurrency):
            await waiting.put(None)

    async def worker() -> None:
        while (item := await waiting.get()) is not None:
            await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(produce())
            for _ in range(concurrency):
                tasks.create_task(worker())
    except* ReconcilerError as errors:
        raise _first(errors) from None


async def ahead(items: AsyncIterator[Item]) -> AsyncGenerator[Item, None]:
    """Yield items, which are never None, each while the next one is being made."""
    following = _next(items)
    try:
        while (found := await following) is not None:
            following = _next(items)
            yield found
    finally:
        await _end(following)


def _next(items: AsyncIterator[Item]) -> asyncio.Task[Item | None]:
    async def take() -> Item | None:
        return await anext(items, None)

    return asyncio.create_task(take())


async def _end(task: asyncio.Task[Item | None]) -> None:
    """Cancel a task and wait until nothing of it goes on; how it ends is of no interest any more."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


def _first(errors: BaseExceptionGroup[ReconcilerError]) -> ReconcilerError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, ReconcilerError)
    return found
