"""Time as the publishers see it, so that tests need not wait."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and lets it pass."""

    def monotonic(self) -> float:
        """Return seconds since some moment, which only grow."""
        ...

    def now(self) -> float:
        """Return seconds since 1970, as rate limits are told in."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The computer's own."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
