"""A service that counts in windows of the clock, and callers who share a limiter, in virtual time."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.http.clock import Clock
from reconciler.providers.stytch.rate_limiter import RateLimiter
from tests.providers.support import WALL, run

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 100_000.0
FOREVER = math.inf


@dataclass
class Windows:
    """Takes so many calls in each window of its clock and refuses the others, which count as well.

    ``limit`` is asked with the present (seconds since the beginning) and the number of calls taken so
    far. ``length`` is that of a window in seconds, ``ahead`` the seconds its clock is ahead of the
    callers', ``others`` how many calls of strangers come in each second, and ``tells`` whether a refusal
    says how long to wait.
    """

    limit: Callable[[float, int], float]
    length: float = 1.0
    ahead: float = 0.0
    others: float = 0.0
    tells: bool = False
    taken: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    _window: int = -1
    _used: float = 0

    def takes(self, now: float) -> bool:
        window = math.floor((now + self.ahead) / self.length)
        if window != self._window:
            self._window, self._used = window, self.others * self.length
        self._used += 1
        is_taken = self._used <= self.limit(now, len(self.taken))
        (self.taken if is_taken else self.refused).append(now)
        return is_taken

    def retry_after(self, now: float) -> float | None:
        """Seconds as the header gives them: whole ones, at least one."""
        rest = self.length - (now + self.ahead) % self.length
        return max(1.0, math.ceil(rest)) if self.tells else None

    @property
    def share(self) -> float:
        """Refused calls as a share of all."""
        return len(self.refused) / (len(self.taken) + len(self.refused))

    def per_second(self, since: float, until: float) -> float:
        """Calls taken in each second of that time."""
        return sum(since <= time < until for time in self.taken) / (until - since)


@dataclass(frozen=True)
class Callers:
    """``at_once`` callers who send one call after the other, each repeated until it is taken.

    ``places`` of them are under way at most. ``latency`` is in seconds, half of it before the service
    counts the call, and up to ``jitter`` more; ``began`` is where in a second of the clock they begin.
    """

    rate: float = 100
    at_once: int = 32
    places: int = 32
    latency: float = 0.02
    jitter: float = 0.0
    began: float = 0.0

    def send(self, service: Windows, calls: float = FOREVER, seconds: float = FOREVER) -> float:
        """Send so many calls, or for so long; return the seconds from the first to the last answer."""

        async def main() -> float:
            chances = random.Random(1)
            loop = asyncio.get_running_loop()
            clock = Clock(loop.time, lambda: WALL + loop.time(), chance=chances.random)
            limiter = RateLimiter(self.rate, self.places, clock)
            await asyncio.sleep(self.began)
            begun = 0

            async def caller() -> None:
                nonlocal begun
                while begun < calls and loop.time() < seconds:
                    begun += 1
                    await self._call(limiter, service, clock)

            await asyncio.gather(*(caller() for _ in range(self.at_once)))
            return loop.time() - self.began

        return run(main())

    async def _call(self, limiter: RateLimiter, service: Windows, clock: Clock) -> None:
        attempt = 1
        while not await self._attempt(limiter, service, clock, attempt):
            attempt += 1

    async def _attempt(self, limiter: RateLimiter, service: Windows, clock: Clock, attempt: int) -> bool:
        async with limiter.acquire(PATIENCE) as slot:
            await clock.sleep(self.latency / 2 + self.jitter * clock.chance())
            now = clock.monotonic()
            is_taken, asked = service.takes(now), service.retry_after(now)
            await clock.sleep(self.latency / 2)
            if is_taken:
                limiter.succeeded(slot)
            else:
                limiter.throttled(slot, asked)
            return is_taken


def always(limit: float) -> Callable[[float, int], float]:
    return lambda _now, _taken: limit


def changing(first: float, *later: tuple[float, float]) -> Callable[[float, int], float]:
    """A limit that changes at given seconds: ``changing(100, (60, 50))``."""

    def limit(now: float, _taken: int) -> float:
        return next((value for since, value in reversed(later) if now >= since), first)

    return limit


def halved_after(taken: int, limit: float) -> Callable[[float, int], float]:
    """A limit that is half once so many calls have been taken."""
    return lambda _now, so_far: limit if so_far < taken else limit / 2
