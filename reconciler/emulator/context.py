"""What the endpoints of one emulator share: store, switches, faults, limits, log, ids and clock."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from reconciler.emulator.faults import Faults
from reconciler.emulator.rate_limit import RateLimits
from reconciler.emulator.request_log import RequestLog
from reconciler.emulator.state import Identifiers, ReadLag, State
from reconciler.emulator.switches import Switches

if TYPE_CHECKING:
    from reconciler.emulator.settings import EmulatorSettings


class Context:
    """The shared state of one emulator; `clock_offset` is in seconds.

    Raises:
        UnknownSwitchError: an unknown name or value in `settings.switches`.
        StateError: the state file cannot be used.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.switches = Switches(settings.switches)
        self.chance = random.Random(settings.random_seed)  # noqa: S311 -- repeatable on purpose
        self.faults = Faults(self.chance)
        self.state = State(settings.state)
        self.identifiers = Identifiers(_seed_for(settings.random_seed, self.state.age()))
        self.log = RequestLog(settings.log_capacity)
        self.read_lag = ReadLag()
        self.lost_responses: set[str] = set()
        self.clock_offset = 0.0
        self.limits = RateLimits(self.now, self.switches, settings.rate_limits)
        self.bound_url: str | None = None

    def now(self) -> float:
        """Seconds since the epoch, moved by `clock_offset`."""
        return time.time() + self.clock_offset


def _seed_for(seed: int | None, age: int) -> int | str | None:
    """A seed for new ids; a state file that already holds objects must not get the same ids again."""
    return f"{seed}+{age}" if seed is not None and age else seed
