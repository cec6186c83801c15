"""How fast the whole project is called: evenly spaced, a few at once, slower when told so."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reconciler.providers.stytch.clock import Clock

_MARGIN: Final = 0.99
"""Arrival jitter must not put one call too many into the service's clock-aligned window."""

_DECREASE: Final = 0.7
_DECREASE_AT_KNOWN_CEILING: Final = 0.95
_NEAR_CEILING: Final = 0.9

_RECOVERY: Final = 0.05
"""Share of the full rate regained each second while well below the rate that was refused."""

_PROBING: Final = 0.00002
"""The same near that rate and above it, times the square of the seconds since the refusal."""

_SLOWEST: Final = 0.01
"""Share of the full rate that is never given up."""


class LongPause(Exception):
    """The service asked for more quiet than the caller has patience; ``seconds`` are left of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no calls for {seconds:.0f} s")
        self.seconds = seconds


class Pace:
    """Turns for calls, shared by all calls of a project.

    Calls are spaced evenly at ``requests_per_second`` and ``concurrency`` are under way at most.
    A refusal (429) stops all turns for a while and lowers the rate; it then recovers quickly to
    just below the rate that was refused, lingers there, and goes beyond ever more boldly.
    """

    def __init__(self, requests_per_second: float, concurrency: int, clock: Clock) -> None:
        self._full_rate = requests_per_second * _MARGIN
        self._rate = self._full_rate
        self._ceiling: float | None = None
        self._slots = asyncio.Semaphore(concurrency)
        self._clock = clock
        self._next = 0.0
        self._grown = self._refused_at = clock.monotonic()
        self._paused_until = 0.0
        self._epoch = 0

    @property
    def rate(self) -> float:
        """Calls per second at present."""
        return self._rate

    @property
    def epoch(self) -> int:
        """The number of refusals so far that lowered the rate; a turn's value is that of its beginning."""
        return self._epoch

    @property
    def pause(self) -> float:
        """Seconds until the next call may be sent because the service asked for quiet."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    @asynccontextmanager
    async def turn(self, patience: float) -> AsyncIterator[int]:
        """Wait for a turn; the value names it when it is refused.

        Raises:
            LongPause: the service wants quiet for more than ``patience`` seconds.
        """
        async with self._slots:
            await self._wait_for_slot(patience)
            yield self._epoch

    def refused(self, turn: int, seconds: float) -> None:
        """Take note that the service refused the call of ``turn`` and wants ``seconds`` of quiet.

        Calls that were under way together are refused together: only the first lowers the rate.
        """
        now = self._clock.monotonic()
        if turn == self._epoch:
            self._epoch += 1
            self._slow_down(now)
        self._paused_until = max(self._paused_until, now + seconds)
        self._next = max(self._next, self._paused_until)

    async def _wait_for_slot(self, patience: float) -> None:
        while True:
            if self.pause > patience:
                raise LongPause(self.pause)
            epoch = self._epoch
            wait = self._reserve() - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
            if epoch == self._epoch:
                return

    def _reserve(self) -> float:
        now = self._clock.monotonic()
        self._grow(now)
        slot = max(now, self._next)
        self._next = slot + 1 / self._rate
        return slot

    def _slow_down(self, now: float) -> None:
        self._grow(now)
        known = self._ceiling is not None and self._rate >= self._ceiling * _NEAR_CEILING
        factor = _DECREASE_AT_KNOWN_CEILING if known else _DECREASE
        self._ceiling, self._refused_at = self._rate, now
        self._rate = max(self._rate * factor, self._full_rate * _SLOWEST)
        self._next = now

    def _grow(self, now: float) -> None:
        elapsed, self._grown = now - self._grown, now
        if self._ceiling is None or self._rate >= self._full_rate:
            return
        near = self._rate >= self._ceiling * _NEAR_CEILING
        probing = min(_PROBING * (now - self._refused_at) ** 2, _RECOVERY)
        share = probing if near else _RECOVERY
        self._rate = min(self._rate + elapsed * share * self._full_rate, self._full_rate)
