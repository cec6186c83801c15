"""Rate limits: fixed, clock-aligned windows per project and group of operations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator.switches import Switches


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `requests` of `operations` (names or globs) in each window of `seconds`, per project."""

    requests: int
    seconds: float = 1.0
    operations: tuple[str, ...] = ("*",)

    def covers(self, operation: str) -> bool:
        """Whether `operation` counts."""
        return any(fnmatchcase(operation, pattern) for pattern in self.operations)


@dataclass(slots=True)
class _Window:
    index: int
    used: int = 0


@dataclass(slots=True)
class RateLimits:
    """The active limits and the use of each; `now` returns seconds since the epoch."""

    now: Callable[[], float]
    switches: Switches
    limits: tuple[RateLimit, ...] = ()
    _windows: dict[tuple[int, str], _Window] = field(default_factory=dict)

    def check(self, operation: str, project_id: str) -> None:
        """Count one call; raises `ApiError` 429 once a window is full. Refused calls count too."""
        for position, limit in enumerate(self.limits):
            if limit.covers(operation) and not self._admits(position, limit, project_id):
                raise ApiError("too_many_requests", headers=self._retry_after(limit))

    def replace(self, limits: tuple[RateLimit, ...]) -> None:
        """Replace the limits; all windows start empty."""
        self.limits = limits
        self._windows.clear()

    def _admits(self, position: int, limit: RateLimit, project_id: str) -> bool:
        index = math.floor(self.now() / limit.seconds)
        window = self._windows.get((position, project_id))
        if window is None or window.index != index:
            window = self._windows[position, project_id] = _Window(index)
        window.used += 1
        return window.used <= limit.requests

    def _retry_after(self, limit: RateLimit) -> dict[str, str]:
        now = self.now()
        boundary = (math.floor(now / limit.seconds) + 1) * limit.seconds
        return retry_after_header(self.switches["retry-after"], boundary - now, now)


def retry_after_header(form: str, wait: float, now: float) -> dict[str, str]:
    """The `Retry-After` header for a wait in seconds; `form` is a value of the switch `retry-after`."""
    if form == "absent":
        return {}
    if form == "date":
        return {"retry-after": formatdate(math.ceil(now + wait), usegmt=True)}
    return {"retry-after": str(max(1, math.ceil(wait)))}
