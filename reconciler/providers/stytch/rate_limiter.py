"""Spaces the calls of a whole project, and finds the API's rate limit from its 429 responses.

The problem. The API limits requests per project, in fixed windows aligned to its clock, and publishes
neither the number nor the length of a window. Customers log in through the same project, so a run that
storms the limit may take their requests away. But every second below the limit makes a run longer: the
limit bounds how fast a large estate can be planned.

The rule.

- *Spacing*: calls start evenly, never in bursts, so that no window holds more than its share.
- *Pause*: after a 429 nobody sends until the time in ``Retry-After``, or else until the window of the
  refused call is over. Windows are taken for seconds of the clock; if the next call is refused as well,
  the window must be longer, and the pauses double.
- *Decrease*: the new rate is what was really accepted per second since the last refusal, pauses included.
  Where no pause shortened that time, it says nothing new, and the rate only drops by 3 %.
- *Growth*: that rate is held for a while, then doubles every ten seconds until the next refusal, or up to
  the configured rate.

Why. Halving at each refusal (AIMD) needs several refusals to reach a limit, overshoots it, and regains it
slowly. The count of accepted calls is the limit itself: in a window that was used up, exactly as many
calls were accepted as it allows. Two refusals find any limit. Calls that were under way together are
refused together; they are one refusal.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from reconciler.http.clock import Clock

_MARGIN: Final = 0.99
_STEP_DOWN: Final = 0.97
_LARGEST_STEP_DOWN: Final = 1 / 16
_HOLD_SECONDS: Final = 45.0
_HOLD_CALLS: Final = 250
_LONGEST_HOLD: Final = 300.0
_BACK_OFF: Final = 0.77
_MIN_COUNT: Final = 10
_DOUBLING_SECONDS: Final = 26.0
_LOWEST_SHARE: Final = 0.01
_WINDOWS: Final = (1.0, 1.0, 10.0, 60.0)
_CLOCK_DIFFERENCE: Final = 0.05
_LONGEST_PAUSE: Final = 60.0


class RetryAfterTooLong(Exception):
    """The API asked for a longer pause than the caller waits; ``seconds`` of it are left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no calls for {seconds:.0f} s")
        self.seconds = seconds


class RateLimitChanged(Exception):
    """A call was refused while another waited that asked to `fail_if_throttled`."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Permission to send one call: after how many refusals, and when, in seconds since 1970."""

    epoch: int
    started_at: float


class RateLimiter:
    """Hands out slots, shared by all calls of a project.

    At most ``concurrency`` slots are in use, and they start evenly at up to ``requests_per_second``.
    """

    def __init__(self, requests_per_second: float, concurrency: int, clock: Clock) -> None:
        self._clock = clock
        self._in_use = asyncio.Semaphore(concurrency)
        self._highest_rate = requests_per_second * _MARGIN
        self._held_rate = self._highest_rate
        self._held_until = 0.0
        self._next_start = 0.0
        self._paused_until = -math.inf
        self._epoch = 0
        self._counting_since = clock.monotonic()
        self._accepted = 0
        self._works = False
        self._has_worked = False
        self._refused_in_a_row = 0

    @property
    def rate(self) -> float:
        """Calls per second at present."""
        growing = max(0.0, self._clock.monotonic() - self._held_until)
        doublings = min((growing / _DOUBLING_SECONDS) ** 2, math.log2(self._highest_rate / self._held_rate))
        return self._held_rate * math.exp2(doublings)

    @property
    def pause(self) -> float:
        """Seconds until the next call may be sent because the API refused one."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    @asynccontextmanager
    async def acquire(self, max_pause: float, *, fail_if_throttled: bool = False) -> AsyncIterator[Slot]:
        """Wait for a slot, and free it in the end.

        Raises:
            RetryAfterTooLong: the API asked for a pause of more than ``max_pause`` seconds.
            RateLimitChanged: only if ``fail_if_throttled``: the slot would start after a pause. Waiting
                for it has taken no time from other calls.
        """
        epoch = None if self.pause else self._epoch
        async with self._in_use:
            await self._wait_for_start(max_pause, epoch if fail_if_throttled else None, fail_if_throttled)
            yield Slot(self._epoch, self._clock.wall())

    def succeeded(self, slot: Slot) -> None:
        """Record a call that was not refused for the rate limit."""
        self._accepted += 1
        if slot.epoch == self._epoch:
            self._works = True

    def throttled(self, slot: Slot, retry_after: float | None) -> None:
        """Record a 429, with the seconds of its ``Retry-After``, if it has one."""
        now = self._clock.monotonic()
        is_first = slot.epoch == self._epoch
        if is_first:
            self._epoch += 1
            self._slow_down(now)
        pause = self._rest_of_window(slot) if retry_after is None else retry_after
        self._paused_until = max(self._paused_until, now + pause)
        self._next_start = max(now + 1 / self.rate if is_first else self._next_start, self._paused_until)
        if is_first:
            self._held_until = self._paused_until + self._hold_seconds
            if self._refused_in_a_row <= 1:
                self._counting_since = self._paused_until

    async def _wait_for_start(self, max_pause: float, epoch: int | None, fail_if_throttled: bool) -> None:
        while True:
            now = self._clock.monotonic()
            pause = self._paused_until - now
            if pause > max_pause:
                raise RetryAfterTooLong(pause)
            if fail_if_throttled and (self._epoch != epoch or pause > 0):
                raise RateLimitChanged
            epoch_before, start = self._epoch, max(now, self._next_start)
            self._next_start = start + 1 / self.rate
            if start > now:
                await self._clock.sleep(start - now)
            if epoch_before == self._epoch and start >= self._paused_until:
                return

    def _slow_down(self, now: float) -> None:
        if not self._works:
            self._refused_in_a_row += 1
            return
        lowest = max(self.rate * _LARGEST_STEP_DOWN, self._highest_rate * _LOWEST_SHARE)
        self._held_rate = max(self._acceptable_rate(now), lowest)
        self._accepted = 0
        self._works, self._has_worked, self._refused_in_a_row = False, True, 0

    def _acceptable_rate(self, now: float) -> float:
        if now >= self._held_until:
            return min(self.rate * _STEP_DOWN, max(self._held_rate, self.rate * _BACK_OFF))
        seconds = max(now - self._counting_since, _WINDOWS[0])
        if seconds > _WINDOWS[0] and self._accepted < _MIN_COUNT:
            return self.rate * _BACK_OFF
        return min(self._accepted / seconds * _STEP_DOWN, self.rate * _BACK_OFF)

    @property
    def _hold_seconds(self) -> float:
        return min(max(_HOLD_SECONDS, _HOLD_CALLS / self._held_rate), _LONGEST_HOLD)

    def _rest_of_window(self, slot: Slot) -> float:
        if not self._has_worked:
            return min(2.0 ** (self._refused_in_a_row - 1), _LONGEST_PAUSE)
        window = _WINDOWS[min(self._refused_in_a_row, len(_WINDOWS) - 1)]
        end = (math.floor(slot.started_at / window) + 1) * window
        return max(end - self._clock.wall(), 0.0) + _CLOCK_DIFFERENCE
