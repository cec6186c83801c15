"""Spacing, concurrency, and what a limit of the service does to the rate."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from reconciler.providers.stytch.pace import LongPause, Pace
from reconciler.providers.stytch.retry import backoff
from tests.providers.support import clock, run

LATENCY = 0.02


class FixedWindow:
    """A service that takes ``limit`` calls in each second of the clock and refuses the others."""

    def __init__(self, limit: int, later: int | None = None, change_at: float = 0.0) -> None:
        self._limit, self._later, self._change_at = limit, limit if later is None else later, change_at
        self._counts: dict[int, int] = {}
        self.refused = 0
        self.calls = 0

    def takes(self, now: float) -> bool:
        limit = self._limit if now < self._change_at else self._later
        window = int(now)
        self.calls += 1
        self._counts[window] = self._counts.get(window, 0) + 1
        if self._counts[window] <= limit:
            return True
        self.refused += 1
        return False


async def call(pace: Pace, service: FixedWindow) -> None:
    """One call, repeated until it is taken, as the client does it."""
    attempt = 0
    while True:
        attempt += 1
        async with pace.turn(1000) as turn:
            await asyncio.sleep(LATENCY)
            if service.takes(asyncio.get_running_loop().time()):
                return
            pace.refused(turn, backoff(attempt, 0.5))


def seconds_for(calls: int, service: FixedWindow, rate: float, concurrency: int = 32) -> float:
    async def main() -> float:
        pace = Pace(rate, concurrency, clock())
        await asyncio.gather(*(call(pace, service) for _ in range(calls)))
        return asyncio.get_running_loop().time()

    return run(main())


def test_calls_are_spaced_evenly() -> None:
    times: list[float] = []

    async def one(pace: Pace) -> None:
        async with pace.turn(1):
            times.append(asyncio.get_running_loop().time())

    async def main() -> None:
        pace = Pace(10, 8, clock())
        await asyncio.gather(*(one(pace) for _ in range(30)))

    run(main())
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == pytest.approx([1 / 9.9] * 29)


def test_idle_time_is_not_saved_up_for_a_burst() -> None:
    times: list[float] = []

    async def main() -> None:
        pace = Pace(10, 8, clock())
        await asyncio.sleep(100)
        for _ in range(5):
            async with pace.turn(1):
                times.append(asyncio.get_running_loop().time())

    run(main())
    assert times[-1] - times[0] > 0.39


def test_no_more_than_the_concurrency_are_under_way() -> None:
    under_way = most = 0

    async def one(pace: Pace) -> None:
        nonlocal under_way, most
        async with pace.turn(1):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(1)
            under_way -= 1

    async def main() -> None:
        pace = Pace(1000, 3, clock())
        await asyncio.gather(*(one(pace) for _ in range(20)))

    run(main())
    assert most == 3


def test_a_failing_call_gives_its_place_back() -> None:
    async def main() -> None:
        pace = Pace(1000, 1, clock())
        for _ in range(3):
            with pytest.raises(ValueError, match="boom"):
                async with pace.turn(1):
                    raise ValueError("boom")

    run(main())


def test_at_the_service_s_own_limit_nothing_is_refused() -> None:
    service = FixedWindow(limit=100)
    seconds = seconds_for(2200, service, rate=100)
    assert service.refused == 0
    assert seconds < 22 * 1.05


def test_when_the_limit_halves_midway_the_pace_follows() -> None:
    """Measured against the bound of the two rates: 100/s for eleven seconds, then 50/s."""
    service = FixedWindow(limit=100, later=50, change_at=11)
    seconds = seconds_for(2200, service, rate=100)
    assert seconds < (11 + 1100 / 50) * 1.15
    assert service.refused <= service.calls * 0.01


def test_far_above_the_limit_few_calls_are_refused() -> None:
    service = FixedWindow(limit=20)
    seconds = seconds_for(1000, service, rate=100, concurrency=8)
    assert seconds < 1000 / 20 * 1.35
    assert service.refused <= service.calls * 0.04


def test_after_a_passing_shortage_the_full_rate_comes_back() -> None:
    async def main() -> float:
        pace = Pace(100, 8, clock())
        async with pace.turn(1) as turn:
            pace.refused(turn, 1.0)
        assert pace.rate == pytest.approx(99 * 0.7)
        for _ in range(200):
            await asyncio.sleep(1)
            async with pace.turn(1):
                pass
        return pace.rate

    assert run(main()) == pytest.approx(99)


def test_calls_refused_together_lower_the_rate_once() -> None:
    async def one(pace: Pace) -> None:
        async with pace.turn(10) as turn:
            await asyncio.sleep(0.5)
            pace.refused(turn, 1.0)

    async def main() -> float:
        pace = Pace(1000, 8, clock())
        await asyncio.gather(*(one(pace) for _ in range(8)))
        return pace.rate

    assert run(main()) == pytest.approx(990 * 0.7)


def test_the_rate_never_falls_to_nothing() -> None:
    async def main() -> float:
        pace = Pace(100, 8, clock())
        for _ in range(100):
            async with pace.turn(10) as turn:
                pace.refused(turn, 0.0)
        return pace.rate

    assert run(main()) >= 0.99


def test_those_who_already_wait_do_not_sit_out_a_pause_beyond_their_patience() -> None:
    ended: list[Any] = []

    async def one(pace: Pace) -> None:
        try:
            async with pace.turn(60):
                ended.append("sent")
        except LongPause as pause:
            ended.append(round(pause.seconds))

    async def main() -> None:
        pace = Pace(1, 8, clock())
        async with pace.turn(60) as turn, asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(one(pace))
            await asyncio.sleep(0.1)
            pace.refused(turn, 3600)

    run(main())
    assert "sent" not in ended
    assert len(ended) == 3
