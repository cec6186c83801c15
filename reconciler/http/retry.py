"""Computes how long to wait before a retry."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0


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
