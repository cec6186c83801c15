"""Time and randomness as values, so that tests can replace them, and the wait before a retry."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Where seconds, sleep and jitter come from.

    ``monotonic`` and ``wall`` return seconds (``wall`` since 1970, for dates in headers), ``chance`` a
    number from 0 up to, but not including, 1.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class BlockingClock:
    """The same for code that blocks while it sleeps."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


def backoff(attempt: int, chance: float) -> float:
    """Return the seconds to wait after the ``attempt``-th failure (from 1).

    One second, doubling up to sixty, of which ``chance`` (0 to 1) takes away up to a half, so that
    callers who failed together do not come back together.
    """
    full = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 10), _LONGEST_WAIT)
    return full * (1 - chance / 2)


def retry_after(header: str | None, wall: float) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, or None if it cannot be read.

    ``header`` is a number of seconds or an HTTP date; ``wall`` is the present in seconds since 1970.
    The result is never negative.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text[:20])
    return _seconds_until(text, wall)


def _seconds_until(date: str, wall: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - wall)
