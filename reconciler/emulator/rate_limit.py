"""Fixed, clock-aligned windows per project and group of endpoints."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.emulator.errors import ApiError
from reconciler.emulator.operations import ENDPOINT_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.emulator.calls import Operation
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


_LIMIT = re.compile(r"(\d+)/(\d+(?:\.\d+)?)?([smhd])(?::(.+))?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class UnknownRateLimitError(ValueError):
    """A limit that cannot be understood."""


def parse_rate_limit(text: str) -> RateLimit:
    """`REQUESTS/[COUNT]UNIT[:OPERATION+OPERATION]`, as in `100/s` or `100/m:search-organizations`.

    Raises:
        UnknownRateLimitError: anything else, or an operation that there is not.
    """
    match = _LIMIT.fullmatch(text)
    if match is None or float(match[2] or 1) == 0:
        raise UnknownRateLimitError(
            f"rate limit '{text}' is not of the form REQUESTS/UNIT[:OPERATIONS], as in 100/s or 5/10s:list-*"
        )
    operations = tuple(match[4].split("+")) if match[4] else ("*",)
    for pattern in operations:
        if not any(fnmatchcase(name, pattern) for name in ENDPOINT_NAMES):
            known = ", ".join(ENDPOINT_NAMES)
            raise UnknownRateLimitError(f"unknown operation '{pattern}' in a rate limit; known: {known}")
    return RateLimit(int(match[1]), float(match[2] or 1) * _UNITS[match[3]], operations)


@dataclass(slots=True)
class _Window:
    index: int
    used: int = 0


@dataclass(slots=True)
class RateLimits:
    """The limits in force and how far each is used; `now` tells seconds since the epoch."""

    now: Callable[[], float]
    switches: Switches
    limits: tuple[RateLimit, ...] = ()
    _windows: dict[tuple[int, str], _Window] = field(default_factory=dict)

    def check(self, operation: Operation, project_id: str) -> None:
        """Count one call; raises `ApiError` 429 once a window is full. Refused calls count as well."""
        for position, limit in enumerate(self.limits):
            if limit.covers(operation.name) and not self._admits(position, limit, project_id):
                raise ApiError("too_many_requests", headers=self._retry_after(limit))

    def replace(self, limits: tuple[RateLimit, ...]) -> None:
        """Put other limits in force, with empty windows."""
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
    """`Retry-After` for a wait in seconds, in the form the switch `retry-after` names."""
    if form == "absent":
        return {}
    if form == "date":
        return {"retry-after": formatdate(math.ceil(now + wait), usegmt=True)}
    return {"retry-after": str(max(1, math.ceil(wait)))}
