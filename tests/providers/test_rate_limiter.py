"""Spacing, concurrency, and what refusals do to pause and rate."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from reconciler.providers.stytch.rate_limiter import RateLimitChanged, RateLimiter, RetryAfterTooLong
from tests.providers.support import clock, run


async def work(limiter: RateLimiter, calls: int) -> None:
    for _ in range(calls):
        async with limiter.acquire(10) as slot:
            limiter.succeeded(slot)


def test_calls_are_spaced_evenly() -> None:
    times: list[float] = []

    async def one(limiter: RateLimiter) -> None:
        async with limiter.acquire(1):
            times.append(asyncio.get_running_loop().time())

    async def main() -> None:
        limiter = RateLimiter(10, 8, clock())
        await asyncio.gather(*(one(limiter) for _ in range(30)))

    run(main())
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps == pytest.approx([1 / 9.9] * 29)


def test_idle_time_is_not_saved_up_for_a_burst() -> None:
    times: list[float] = []

    async def main() -> None:
        limiter = RateLimiter(10, 8, clock())
        await asyncio.sleep(100)
        for _ in range(5):
            async with limiter.acquire(1):
                times.append(asyncio.get_running_loop().time())

    run(main())
    assert times[-1] - times[0] > 0.39


def test_no_more_than_the_concurrency_are_under_way() -> None:
    under_way = most = 0

    async def one(limiter: RateLimiter) -> None:
        nonlocal under_way, most
        async with limiter.acquire(1):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(1)
            under_way -= 1

    async def main() -> None:
        limiter = RateLimiter(1000, 3, clock())
        await asyncio.gather(*(one(limiter) for _ in range(20)))

    run(main())
    assert most == 3


def test_a_failing_call_gives_its_place_back() -> None:
    async def main() -> None:
        limiter = RateLimiter(1000, 1, clock())
        for _ in range(3):
            with pytest.raises(ValueError, match="boom"):
                async with limiter.acquire(1):
                    raise ValueError("boom")

    run(main())


def test_one_refusal_tells_little_of_the_limit() -> None:
    async def main() -> float:
        limiter = RateLimiter(100, 8, clock())
        await work(limiter, 10)
        async with limiter.acquire(1) as slot:
            limiter.throttled(slot, 1.0)
        return limiter.rate

    assert run(main()) == pytest.approx(99 * 0.97)


def test_what_is_accepted_between_two_refusals_is_the_limit() -> None:
    async def main() -> float:
        limiter = RateLimiter(100, 8, clock())
        for _ in range(2):
            await work(limiter, 40)
            async with limiter.acquire(2) as slot:
                limiter.throttled(slot, 1.0)
        return limiter.rate

    assert run(main()) == pytest.approx(40 * 0.97)


def test_calls_refused_together_lower_the_rate_once() -> None:
    async def one(limiter: RateLimiter) -> None:
        async with limiter.acquire(10) as slot:
            await asyncio.sleep(0.5)
            limiter.throttled(slot, 1.0)

    async def main() -> float:
        limiter = RateLimiter(1000, 8, clock())
        await work(limiter, 1)
        await asyncio.gather(*(one(limiter) for _ in range(8)))
        return limiter.rate

    assert run(main()) == pytest.approx(990 * 0.97)


def test_the_rate_never_falls_to_nothing() -> None:
    async def main() -> float:
        limiter = RateLimiter(1000, 8, clock())
        for _ in range(100):
            await work(limiter, 1)
            async with limiter.acquire(10) as slot:
                limiter.throttled(slot, 0.0)
        return limiter.rate

    assert run(main()) >= 9.9


def test_without_an_answer_to_the_contrary_the_end_of_the_second_is_waited_for() -> None:
    async def main() -> list[float]:
        limiter = RateLimiter(100, 8, clock())
        await work(limiter, 30)
        pauses: list[float] = []
        for _ in range(2):
            async with limiter.acquire(10) as slot:
                limiter.throttled(slot, None)
                pauses.append(limiter.pause)
        return pauses

    first, second = run(main())
    assert first == pytest.approx(1.05 - 30 / 99, abs=0.02)
    assert second == pytest.approx(1.03, abs=0.04), "still used up: the clocks may differ by a window"


def test_where_nothing_was_ever_accepted_the_pauses_double_up_to_a_minute() -> None:
    async def main() -> list[float]:
        limiter = RateLimiter(100, 8, clock())
        pauses: list[float] = []
        for _ in range(8):
            async with limiter.acquire(100) as slot:
                limiter.throttled(slot, None)
            pauses.append(round(limiter.pause, 3))
        return pauses

    assert run(main()) == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_longer_pause_holds_for_those_who_wait_for_the_end_of_a_shorter_one() -> None:
    times: list[float] = []

    async def one(limiter: RateLimiter) -> None:
        async with limiter.acquire(60):
            times.append(asyncio.get_running_loop().time())

    async def main() -> None:
        limiter = RateLimiter(100, 8, clock())
        async with limiter.acquire(60) as first, limiter.acquire(60) as second, asyncio.TaskGroup() as group:
            limiter.throttled(first, 1.0)
            group.create_task(one(limiter))
            await asyncio.sleep(0.5)
            limiter.throttled(second, 5.0)

    run(main())
    assert times[0] >= 5.5


def test_those_who_already_wait_do_not_sit_out_a_pause_beyond_their_patience() -> None:
    ended: list[Any] = []

    async def one(limiter: RateLimiter) -> None:
        try:
            async with limiter.acquire(60):
                ended.append("sent")
        except RetryAfterTooLong as pause:
            ended.append(round(pause.seconds))

    async def main() -> None:
        limiter = RateLimiter(1, 8, clock())
        async with limiter.acquire(60) as slot, asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(one(limiter))
            await asyncio.sleep(0.1)
            limiter.throttled(slot, 3600)

    run(main())
    assert "sent" not in ended
    assert len(ended) == 3


def test_who_wants_to_know_of_a_refusal_takes_no_time_from_the_others() -> None:
    times: list[float] = []

    async def one(limiter: RateLimiter) -> None:
        async with limiter.acquire(60):
            times.append(asyncio.get_running_loop().time())

    async def hesitating(limiter: RateLimiter) -> None:
        with pytest.raises(RateLimitChanged):
            async with limiter.acquire(60, fail_if_throttled=True):
                times.append(0.0)

    async def main() -> None:
        limiter = RateLimiter(10, 30, clock())
        async with limiter.acquire(60) as slot, asyncio.TaskGroup() as group:
            for _ in range(9):
                group.create_task(hesitating(limiter))
            await asyncio.sleep(0.05)
            limiter.throttled(slot, 5.0)
            for _ in range(9):
                group.create_task(hesitating(limiter))
            group.create_task(one(limiter))

    run(main())
    assert times == [pytest.approx(5.05)]


@pytest.mark.parametrize("rate", [5, 100, 500])
@pytest.mark.parametrize("frozen", [0.5, 10, 100])
def test_after_a_freeze_nobody_waits_longer_than_the_others_and_nothing_comes_at_once(
    rate: float, frozen: float
) -> None:
    """Who slept while the process stood still is late, and not once more by as much, again and again."""
    starts: list[tuple[float, int]] = []
    lost = 0.0

    async def main() -> None:
        nonlocal lost
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(rate, 8, replace(clock(), monotonic=lambda: loop.time() + lost))

        async def call(number: int) -> None:
            for _ in range(30):
                async with limiter.acquire(1000) as slot:
                    starts.append((loop.time() + lost, number))
                    await asyncio.sleep(0.02)
                    limiter.succeeded(slot)

        async def freeze() -> None:
            nonlocal lost
            await asyncio.sleep(10.05 / rate)
            lost = frozen

        await asyncio.gather(freeze(), *(call(number) for number in range(8)))

    run(main())
    awake = 10.05 / rate + frozen
    for number in range(8):
        own = [time for time, caller in starts if caller == number]
        assert (
            max(later - max(earlier, awake) for earlier, later in itertools.pairwise(own)) < 17 / rate + 0.1
        )
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(starts) if later > awake]
    assert sum(gap < 0.9 / rate for gap in gaps) <= 2
