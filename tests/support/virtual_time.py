"""An event loop that never waits: where it would sleep, its clock jumps to the next deadline.

So the client's real deadlines, back-off and patience are tested in full length, in milliseconds.
"""

from __future__ import annotations

import asyncio
import selectors
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from concurrent.futures import Executor

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class JumpingLoop(asyncio.SelectorEventLoop):
    """Tells virtual seconds; ``jumped`` is called with each jump, so that other clocks can follow."""

    def __init__(self, jumped: Callable[[float], None]) -> None:
        self.now = 0.0
        self._jumped = jumped
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        return self.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> asyncio.Future[Result]:
        """Do the work of a thread at once: it takes no virtual time, so none may pass meanwhile."""

        async def work() -> Result:
            return func(*args)

        return self.create_task(work())

    def _jump(self, seconds: float) -> None:
        self.now += seconds
        self._jumped(seconds)


class _JumpingSelector(selectors.BaseSelector):
    """Never blocks on a time-out; with none it waits, since then only a real event can come."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        self._selector = selectors.DefaultSelector()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = self._selector.select(None if timeout is None else 0)
        if not events and timeout is not None and timeout > 0:
            self._jump(timeout)
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._selector.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._selector.get_map()

    def close(self) -> None:
        self._selector.close()


@contextmanager
def jumping(jumped: Callable[[float], None]) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Yield what runs a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(jumped)) as runner:
        yield runner.run
