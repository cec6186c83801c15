"""How far something has come that is counted; in one line."""

from __future__ import annotations

import math
from typing import Final

_FAST: Final = 10
"""So many a second need no decimals."""


def render_counted(done: int, total: int, seconds: float) -> str:
    """Return how far it has come: counts, rate, and time left; a ``total`` of 0 is not known.

    ``seconds`` have gone by since it began; a ``total`` that is known may be an estimate while
    manifests are still being read, and is never shown as less than what is done.
    """
    rate = done / seconds if seconds > 0 else 0.0
    counts = f"{done:,} of {max(total, done):,}" if total else f"{done:,}"
    if not rate:
        return counts
    left = f", {_duration((total - done) / rate)} left" if total > done else ""
    return f"{counts} [{rate:.{0 if rate >= _FAST else 1}f} a second{left}]"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
