"""Fault rules and rate limits: which requests they cover, and when."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, assert_never

from reconciler.emulator.errors import ApiError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from reconciler.emulator.switches import Switches


class Effect(Enum):
    """What happens to a request."""

    ERROR = "error"
    HTML = "html"
    EMPTY = "empty"
    MALFORMED = "malformed"
    INCOMPLETE = "incomplete"
    TRUNCATED = "truncated"
    HANG = "hang"
    RESET = "reset"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class Always:
    """Every matching request."""


@dataclass(frozen=True, slots=True)
class First:
    """The first `count` matching requests."""

    count: int


@dataclass(frozen=True, slots=True)
class Nth:
    """Only the matching request with this number, counted from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Every:
    """Each matching request whose number is a multiple of `step`."""

    step: int


@dataclass(frozen=True, slots=True)
class Chance:
    """Each matching request with this probability; repeatable under the emulator's random seed."""

    probability: float


Occasion = Always | First | Nth | Every | Chance


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule.

    `operations` are names or globs, or `reads` and `writes`; `organization` limits the rule to the
    organization in the path; `after` lets the operation take effect first; `status` and `error_type` are
    those of the response; `seconds` is how long a hang or a latency lasts, `up_to` the upper end of a uniform
    one; `retry_after` is a wait in seconds, `retry_after_date` sends it as a date.
    """

    effect: Effect
    operations: tuple[str, ...] = ("*",)
    occasion: Occasion = field(default_factory=Always)
    organization: str | None = None
    after: bool = False
    status: int | None = None
    error_type: str | None = None
    seconds: float = 0.0
    up_to: float | None = None
    retry_after: float | None = None
    retry_after_date: bool = False
    text: str = ""

    def covers(self, operation: str, organization: str | None, *, writes: bool) -> bool:
        """Whether a request to `operation` counts for this rule."""
        if self.organization is not None and self.organization != organization:
            return False
        return any(_matches(pattern, operation, writes=writes) for pattern in self.operations)


class Faults:
    """The active rules by id, such as `fault-1`, and the number of requests that each has counted."""

    def __init__(self, chance: random.Random) -> None:
        self.rules: dict[str, Fault] = {}
        self._chance = chance
        self._counts: Counter[str] = Counter()
        self._last = 0

    def add(self, fault: Fault) -> str:
        """Add a rule; returns its id."""
        self._last += 1
        name = f"fault-{self._last}"
        self.rules[name] = fault
        return name

    def draw(self, operation: str, organization: str | None, *, writes: bool) -> tuple[Fault, ...]:
        """The faults of this request, which is counted for every rule that covers it."""
        return tuple(
            fault
            for name, fault in tuple(self.rules.items())
            if fault.covers(operation, organization, writes=writes) and self._applies(name, fault.occasion)
        )

    def _applies(self, name: str, occasion: Occasion) -> bool:
        self._counts[name] += 1
        number = self._counts[name]
        match occasion:
            case Always():
                return True
            case First(count):
                return number <= count
            case Nth(nth):
                return number == nth
            case Every(step):
                return number % step == 0
            case Chance(probability):
                return self._chance.random() < probability
            case _:
                assert_never(occasion)


def _matches(pattern: str, operation: str, *, writes: bool) -> bool:
    if pattern in {"reads", "writes"}:
        return writes is (pattern == "writes")
    return fnmatchcase(operation, pattern)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `requests` of `operations` (names or globs) in each window of `seconds`, per project."""

    requests: int
    seconds: float = 1.0
    operations: tuple[str, ...] = ("*",)


@dataclass(slots=True)
class RateLimits:
    """The active limits and the use of each; `now` returns seconds since the epoch."""

    now: Callable[[], float]
    switches: Switches
    limits: tuple[RateLimit, ...] = ()
    # the window that counts for a limit and a project, and the calls in it
    _windows: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)

    def check(self, operation: str, project_id: str) -> None:
        """Count one call; raises `ApiError` 429 once a window is full. Refused calls count too."""
        for position, limit in enumerate(self.limits):
            covered = any(fnmatchcase(operation, pattern) for pattern in limit.operations)
            if covered and not self._admits(position, limit, project_id):
                raise ApiError("too_many_requests", headers=self._retry_after(limit))

    def replace(self, limits: tuple[RateLimit, ...]) -> None:
        """Replace the limits; all windows start empty."""
        self.limits = limits
        self._windows.clear()

    def _admits(self, position: int, limit: RateLimit, project_id: str) -> bool:
        index = math.floor(self.now() / limit.seconds)
        counted, used = self._windows.get((position, project_id), (index, 0))
        used = used + 1 if counted == index else 1
        self._windows[position, project_id] = index, used
        return used <= limit.requests

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
