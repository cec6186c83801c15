"""Spaces the requests of a whole project, and finds the API's rate limit from its 429 responses.

The problem. The API limits requests per project in fixed windows that are aligned to its clock (a second,
a minute, an hour or a day), and publishes neither the number nor the window. Logins of customers probably
share the limit, so a run that storms it takes requests away from them. But every request below the limit
makes a run longer, since the limit bounds how fast a large project can be read.

The rule.

- *Spacing*: requests start evenly, never in bursts, so that no window holds more than its share. A write
  that rests on a reading goes first, so that the reading is still fresh.
- *Pause*: after a 429 nobody sends until ``Retry-After`` is over. Without that header, until the window of
  the refused request ends: a second of the clock, and a longer window if the next one is refused as well.
- *Decrease*: the new rate is the number of requests that were accepted since the last pause, per second.
  A refusal after a long good time says less: the rate returns to the last one that was held.
- *Growth*: the new rate is held for a while, and then grows faster and faster until the next refusal, or
  up to the configured rate.

Why. In a window that is used up, exactly as many requests were accepted as the limit allows. So two
refusals find any limit, where halving the rate (AIMD) would need several, go far below it and come back
slowly. Requests that were under way together are refused together; they count as one refusal.

The constants were chosen by the simulation in ``tests/providers/test_rate_limits.py``: at 100 requests per
second and 20 ms of latency, a run whose limit halves midway takes 1.03 times as long as the two limits
allow, and 0.1 % of its requests are refused.
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
"""Share of the configured rate that is used. With 1.0, jitter of arrival puts one request too many into a
window now and then; with 0.99 none was refused in 1,500."""

_SPACING: Final = 0.999
"""Share of the time between two starts that counts as keeping to it, for the sake of rounding."""

_LATE: Final = 0.1
"""Seconds after its turn from which a request takes another one: this process stood still or has little CPU,
and those that are late together are not to start together, nor to be overtaken again and again."""

_STEP_DOWN: Final = 0.97
"""The same for a limit that was counted, where the count may be off by one besides."""

_BACK_OFF: Final = 0.75
"""The new rate, as a share of the old, where counting tells nothing, and at most after a refusal at a rate
that is held: the limit is known to be lower. From 0.8 on, clocks that differ by 0.8 s cost 26 % of time."""

_MIN_COUNT: Final = 10
"""Fewer accepted requests in more than a second tell nothing: the run had little to send."""

_LARGEST_STEP_DOWN: Final = 1 / 16
_LOWEST_SHARE: Final = 0.01
"""The rate never falls below a sixteenth of itself at once, nor below a hundredth of the configured rate:
what looks like a low limit may have been an outage."""

_HOLD_SECONDS: Final = 45.0
_HOLD_REQUESTS: Final = 250
_LONGEST_HOLD: Final = 300.0
"""A rate is held for so many seconds, and for so many requests if that takes longer, but never longer than
five minutes. Each attempt to grow costs one to three refusals, so less than 1 % of requests is refused."""

_DOUBLING_SECONDS: Final = 26.0
"""Growth is the square of the time: 3 % in 5 s, the double in 26 s, tenfold in 48 s. Close to the limit it
is slow enough to meet few refusals; a limit that was lifted is found within a minute."""

_WINDOWS: Final = (1.0, 1.0, 10.0, 60.0)
"""Seconds of the window that seems used up after a refusal, after a second one in a row, and so on. The
second one may only mean that the clocks differ, so it repeats the first."""

_CLOCK_DIFFERENCE: Final = 0.05
"""Seconds by which the API's clock may be behind ours; clocks that are set over the network are closer."""

_LONGEST_PAUSE: Final = 60.0
"""Seconds; up to here pauses double while no request has been accepted yet."""


class RetryAfterTooLong(Exception):
    """The API asked for a longer pause than the caller would wait; ``seconds`` of it are left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no calls for {seconds:.0f} s")
        self.seconds = seconds


class RateLimitChanged(Exception):
    """A request was refused while another one waited that asked to `fail_if_throttled`."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Permission to send one request: after how many refusals, and when, in seconds since 1970."""

    epoch: int
    started_at: float


class RateLimiter:
    """Hands out slots for the requests of a project.

    At most ``concurrency`` slots are in use, and they start evenly at up to ``requests_per_second``.
    """

    def __init__(self, requests_per_second: float, concurrency: int, clock: Clock) -> None:
        self._clock = clock
        self._in_use = asyncio.Semaphore(concurrency)
        self._highest_rate = requests_per_second * _MARGIN
        self._held_rate = self._highest_rate
        self._held_until = 0.0
        self._next_start = 0.0
        self._last_start = -math.inf
        self._paused_until = -math.inf
        self._epoch = 0
        self._counting_since = clock.monotonic()
        self._accepted = 0
        self._works = False
        self._has_worked = False
        self._refused_in_a_row = 0

    @property
    def rate(self) -> float:
        """Requests per second at present."""
        growing = max(0.0, self._clock.monotonic() - self._held_until)
        doublings = min((growing / _DOUBLING_SECONDS) ** 2, math.log2(self._highest_rate / self._held_rate))
        return self._held_rate * math.exp2(doublings)

    @property
    def pause(self) -> float:
        """Seconds until the next request may be sent, because the API refused one."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    @asynccontextmanager
    async def acquire(self, max_pause: float, *, fail_if_throttled: bool = False) -> AsyncIterator[Slot]:
        """Wait for a slot, and release it at the end.

        Raises:
            RetryAfterTooLong: the API asked for a pause of more than ``max_pause`` seconds.
            RateLimitChanged: only if ``fail_if_throttled``, which is for writes that rest on a reading
                and go first: the slot would start after a pause. Waiting for it has taken no time from
                other requests.
        """
        epoch = None if self.pause else self._epoch
        async with self._in_use:
            await self._wait_for_start(max_pause, epoch, fail_if_throttled=fail_if_throttled)
            yield Slot(self._epoch, self._clock.wall())

    def succeeded(self, slot: Slot) -> None:
        """Record a request that was not refused for the rate limit."""
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
            self._next_start = now + 1 / self.rate
        pause = self._rest_of_window(slot) if retry_after is None else retry_after
        self._paused_until = max(self._paused_until, now + pause)
        self._next_start = max(self._next_start, self._paused_until)
        if is_first:
            self._hold()

    async def _wait_for_start(self, max_pause: float, epoch: int | None, *, fail_if_throttled: bool) -> None:
        while True:
            now = self._clock.monotonic()
            pause = self._paused_until - now
            if pause > max_pause:
                raise RetryAfterTooLong(pause)
            if fail_if_throttled and (self._epoch != epoch or pause > 0):
                raise RateLimitChanged
            epoch_before = self._epoch
            start = await self._sleep_until_start(now, goes_first=fail_if_throttled)
            if epoch_before == self._epoch and start >= self._paused_until:
                self._last_start = start
                return

    async def _sleep_until_start(self, now: float, *, goes_first: bool) -> float:
        """Sleep until a request may start, and return when that was; what was overtaken starts later."""
        start = self._next_turn(now, goes_first=goes_first)
        if start > now:
            await self._clock.sleep(start - now)
        if (now := self._clock.monotonic()) - start > _LATE:
            start = self._next_turn(now, goes_first=goes_first)
        while True:
            start = max(start, self._last_start + _SPACING / self.rate)
            if start <= (now := self._clock.monotonic()):
                return start
            await self._clock.sleep(start - now)

    def _next_turn(self, now: float, *, goes_first: bool) -> float:
        """Return when a request may start, and let those that come after it start later."""
        if goes_first:
            start = max(now, self._last_start + 1 / self.rate)
            self._next_start = max(now, self._next_start) + 1 / self.rate
        else:
            start = max(now, self._next_start)
            self._next_start = start + 1 / self.rate
        return start

    def _slow_down(self, now: float) -> None:
        if not self._works:
            self._refused_in_a_row += 1
            return
        lowest = max(self.rate * _LARGEST_STEP_DOWN, self._highest_rate * _LOWEST_SHARE)
        self._held_rate = max(self._acceptable_rate(now), lowest)
        self._accepted = 0
        self._works, self._has_worked, self._refused_in_a_row = False, True, 0

    def _acceptable_rate(self, now: float) -> float:
        """Return the rate that the API seems to accept, now that it has refused a request."""
        if now >= self._held_until:  # the rate was growing, or is the configured one
            return min(self.rate * _STEP_DOWN, max(self._held_rate, self.rate / 2))
        seconds = max(now - self._counting_since, _WINDOWS[0])
        if seconds > _WINDOWS[0] and self._accepted < _MIN_COUNT:
            return self.rate * _BACK_OFF
        return min(self._accepted / seconds * _STEP_DOWN, self.rate * _BACK_OFF)

    def _hold(self) -> None:
        """Hold the rate from the end of the pause on, and count what is accepted from there."""
        seconds = min(max(_HOLD_SECONDS, _HOLD_REQUESTS / self._held_rate), _LONGEST_HOLD)
        self._held_until = self._paused_until + seconds
        if self._refused_in_a_row <= 1:  # longer windows began with the first refusal
            self._counting_since = self._paused_until

    def _rest_of_window(self, slot: Slot) -> float:
        """Return the seconds until the window of a refused request ends, for a 429 without Retry-After."""
        if not self._has_worked:
            return min(2.0 ** (self._refused_in_a_row - 1), _LONGEST_PAUSE)
        window = _WINDOWS[min(self._refused_in_a_row, len(_WINDOWS) - 1)]
        end = (math.floor(slot.started_at / window) + 1) * window
        return max(end - self._clock.wall(), 0.0) + _CLOCK_DIFFERENCE
