"""How fast the whole project is called: evenly spaced, a few at once, slower when told so."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.providers.stytch.clock import Clock

_MARGIN: Final = 0.99
"""Arrival jitter must not put one call too many into the service's clock-aligned window."""

_BELOW_LIMIT: Final = 0.97
"""The same for a limit that was measured, where the count may be off by one besides."""

_WINDOWS: Final = (1, 1, 10, 60)
"""Seconds of the window that seems used up at a refusal, at a second one in a row, and so on.

The second one may only say that the clocks differ, so it repeats the first."""

_CUSHION: Final = 0.05
"""Seconds by which the service's clock may be behind; clocks that are set by a server are closer."""

_RECENT: Final = 3
"""A window was used up recently if that is less than so many windows ago."""

_BLIND_DECREASE: Final = 0.8
"""Leaves more of a limit that was halved than a few more refusals cost."""

_PROBED_SHARE: Final = 1.1
_PROBED_CALLS: Final = 1.0
"""By that share, or so many calls per second, the rate outgrows a limit until a refusal tells of it."""

_HOLD_SECONDS: Final = 45.0
"""A limit is kept to for so long, since trying what is beyond costs a refusal of all calls under way."""

_HOLD_CALLS: Final = 250
"""The same in calls for each refusal that ends it, so that well below one in a hundred is refused."""

_LONGEST_HOLD: Final = 300.0
"""Seconds after which more is tried even if that many calls were not made: it may have been an outage."""

_TELLING: Final = 10
"""Fewer calls than these, accepted between two refusals, tell nothing of a limit."""

_LARGEST_DECREASE: Final = 16.0
"""One refusal does not lower the rate to less than a sixteenth, whatever it seems to tell."""

_GROWTH: Final = 0.001
"""The rate grows by the exponential of this times the square of the seconds: by 3 % in 5 s, as far as to
the limit, where it is slow enough to be refused few calls, to the double in 26 s, tenfold in 48 s."""

_LONGEST_GROWTH: Final = 100.0
"""Seconds; in these anything has grown to any rate, and the exponential is not yet too large a number."""

_SLOWEST: Final = 0.01
"""Share of the full rate that is never given up."""


class LongPause(Exception):
    """The service asked for more quiet than the caller has patience; ``seconds`` are left of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no calls for {seconds:.0f} s")
        self.seconds = seconds


class Disturbed(Exception):
    """A call was refused while another waited that wants to know of it."""


class Turn(NamedTuple):
    """Leave to send one call: after how many refusals, and when by the calendar, in seconds."""

    epoch: int
    began: float


class _Taking:
    """A turn from its beginning to its end, in a third of the time that a generator takes."""

    __slots__ = ("_begin", "_end")

    def __init__(self, begin: Awaitable[Turn], end: Callable[[], None]) -> None:
        self._begin = begin
        self._end = end

    async def __aenter__(self) -> Turn:
        return await self._begin

    async def __aexit__(self, *_failure: object) -> None:
        self._end()


class Pace:
    """Turns for calls, shared by all calls of a project.

    Calls are spaced evenly at ``requests_per_second`` and ``concurrency`` are under way at most.
    A refusal (429) says that a window of the service is used up. All turns wait for as long as it asks,
    or else for the end of the window, which is a second of the clock, or longer where nothing is accepted
    afterwards. If the next is used up as well, what was accepted in between is the limit. The rate stays
    a little below for a good while, then grows, ever more boldly.
    """

    def __init__(self, requests_per_second: float, concurrency: int, clock: Clock) -> None:
        self._full_rate = requests_per_second * _MARGIN
        self._slowest = self._full_rate * _SLOWEST
        self._base = self._full_rate
        self._held_until = 0.0
        self._slots = asyncio.Semaphore(concurrency)
        self._clock = clock
        self._next = 0.0
        self._paused_until = -math.inf
        self._epoch = 0
        self._used_up_at = -math.inf
        self._accepted = 0
        self._works = False
        self._in_vain = 0

    @property
    def rate(self) -> float:
        """Calls per second at present."""
        if self._base >= self._full_rate:
            return self._full_rate
        growing = min(max(0.0, self._clock.monotonic() - self._held_until), _LONGEST_GROWTH)
        return min(self._base * math.exp(_GROWTH * growing**2), self._full_rate)

    @property
    def pause(self) -> float:
        """Seconds until the next call may be sent because the service asked for quiet."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    def turn(self, patience: float, *, undisturbed: bool = False) -> _Taking:
        """Wait for a turn; the value names it when it is accepted or refused.

        Raises:
            LongPause: the service wants quiet for more than ``patience`` seconds.
            Disturbed: only if ``undisturbed``: the turn would have to wait for the end of a pause. It has
                taken no time from the turns of others.
        """
        return _Taking(self._begin(patience, undisturbed), self._slots.release)

    def accepted(self, turn: Turn) -> None:
        """Take note that the service did not refuse the call of ``turn`` for its number."""
        self._accepted += 1
        if turn.epoch == self._epoch:
            self._works = True

    def refused(self, turn: Turn, seconds: float, *, is_asked: bool = True) -> None:
        """Take note that the service refused the call of ``turn`` and asked for ``seconds`` of quiet.

        If it did not say (not ``is_asked``), they are what the caller would wait. Calls that were under
        way together are refused together: only the first lowers the rate.
        """
        now = self._clock.monotonic()
        if turn.epoch == self._epoch:
            self._epoch += 1
            self._slow_down(now)
            self._next = now + 1 / self.rate
        quiet = seconds if is_asked else self._until_window_ends(turn, seconds)
        self._paused_until = max(self._paused_until, now + quiet)
        self._next = max(self._next, self._paused_until)

    async def _begin(self, patience: float, undisturbed: bool) -> Turn:
        began = None if self.pause else self._epoch
        await self._slots.acquire()
        try:
            await self._wait_for_slot(patience, began, undisturbed=undisturbed)
            return Turn(self._epoch, self._clock.wall())
        except BaseException:
            self._slots.release()
            raise

    async def _wait_for_slot(self, patience: float, began: int | None, *, undisturbed: bool) -> None:
        while True:
            now = self._clock.monotonic()
            pause = self._paused_until - now
            if pause > patience:
                raise LongPause(pause)
            if undisturbed and (self._epoch != began or pause > 0):
                raise Disturbed
            epoch, slot = self._epoch, max(now, self._next)
            self._next = slot + 1 / self.rate
            if slot > now:
                await self._clock.sleep(slot - now)
            if epoch == self._epoch and slot >= self._paused_until:
                return

    def _slow_down(self, now: float) -> None:
        if self._works:
            least = max(self.rate / _LARGEST_DECREASE, self._slowest)
            self._base = max(self._limit(now) * _BELOW_LIMIT, least)
            hold = _HOLD_CALLS * (1 + self._step) / self._base
            self._held_until = now + min(max(_HOLD_SECONDS, hold), _LONGEST_HOLD)
            self._used_up_at, self._accepted, self._works, self._in_vain = now, 0, False, 0
            return
        self._in_vain += 1
        if not self._has_worked and self._in_vain > 1:
            self._base, self._held_until = max(self.rate / 2, self._slowest), now

    def _limit(self, now: float) -> float:
        """Return how many calls per second the service seems to take, now that a window is used up.

        Since the end of a pause less than a second ago there was only this one window. In the next
        second parts of two count, and what they took together is merely what was sent. After that the
        rate was little too high, or, while it grew, what was known of the limit still holds.
        """
        if self._window > 1 and now < self._used_up_at + _RECENT * self._window:
            seen = self._accepted / (now - self._used_up_at)
            return min(seen, self.rate) if self._accepted >= _TELLING else self.rate * _BLIND_DECREASE
        since = now - self._paused_until
        if since < _WINDOWS[0]:
            return min(self._accepted, self.rate)
        if since < 2 * _WINDOWS[0]:
            return self.rate * _BLIND_DECREASE
        probed = max(self._base * _PROBED_SHARE, self._base + _PROBED_CALLS)
        return self._base / _BELOW_LIMIT if self._base < self.rate <= probed else self.rate

    @property
    def _has_worked(self) -> bool:
        return self._used_up_at > -math.inf

    @property
    def _step(self) -> int:
        return min(self._in_vain, len(_WINDOWS) - 1)

    @property
    def _window(self) -> int:
        return _WINDOWS[self._step]

    def _until_window_ends(self, turn: Turn, least: float) -> float:
        """Return the seconds until then, after a refusal in vain at ``least`` so many.

        Where no call has worked so far, nothing tells of a window; there the rate is halved instead.
        """
        if not self._has_worked:
            return least
        end = (math.floor(turn.began / self._window) + 1) * self._window
        rest = min(end - self._clock.wall(), self._window) + _CUSHION
        return max(rest, least if self._in_vain else 0.0)
