"""When a failed call may be sent again: waiting times, and the end of patience."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.providers.stytch.clock import Clock

DEFAULT_PATIENCE: Final = 120.0
"""Seconds in all that one call may take with its repetitions."""

FIRST_CONTACT_PATIENCE: Final = 10.0
"""Seconds for reaching a service that has never answered: more often a wrong address than an outage."""

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0

_FORGOTTEN: Final = 300.0
"""Seconds after the last failure, more than lie between two attempts at any call."""


class Outage:
    """For how long nothing has worked, over all calls of one kind in a run together.

    Against a service that is down every call would wait to the end of its own patience, one after
    the other; so they share it. The service limits groups of endpoints separately, so that one kind
    of call may be down while the others work. An outage that nobody has touched for long is forgotten.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._seen = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the first failure that no success has followed."""
        return 0.0 if self._since is None or self._is_forgotten else self._clock.monotonic() - self._since

    def failed(self) -> None:
        """Take note of a failure that may pass."""
        now = self._clock.monotonic()
        if self._since is None or self._is_forgotten:
            self._since = now
        self._seen = now

    def ended(self) -> None:
        """Take note that the service works."""
        self._since = None

    @property
    def _is_forgotten(self) -> bool:
        return self._clock.monotonic() - self._seen > _FORGOTTEN


def backoff(attempt: int, chance: float) -> float:
    """Return the seconds to wait after the ``attempt``-th failure (from 1).

    One second, doubling up to sixty, of which ``chance`` (0 to 1) takes away up to a half, so that
    callers who failed together do not come back together.
    """
    full = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 10), _LONGEST_WAIT)
    return full * (1 - chance / 2)


def retry_after(header: str | None, wall: float) -> float | None:
    """Return the seconds a ``Retry-After`` header asks for, or None if it cannot be read.

    ``header`` is a number of seconds or an HTTP date; ``wall`` is the present in seconds since
    the epoch. The result is never negative.
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
