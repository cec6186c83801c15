"""Everything an operation may consult or change."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from reconciler.emulator.fault_text import parse_fault
from reconciler.emulator.faults import Faults
from reconciler.emulator.identifiers import Identifiers
from reconciler.emulator.rate_limit import RateLimits
from reconciler.emulator.read_lag import ReadLag
from reconciler.emulator.request_log import RequestLog
from reconciler.emulator.state import State
from reconciler.emulator.switches import Switches

if TYPE_CHECKING:
    from reconciler.emulator.settings import EmulatorSettings


class Context:
    """State, switches, ids and clock of one emulator; `clock_offset` is in seconds.

    Raises:
        UnknownSwitchError: as `Switches` does.
        UnknownFaultError: as `parse_fault` does.
        StateError: as `State` does.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.switches = Switches(settings.switches)
        self.chance = random.Random(settings.random_seed)  # noqa: S311 -- repeatable on purpose
        self.faults = Faults(self.chance)
        for text in settings.faults:
            self.faults.add(parse_fault(text))
        self.state = State(settings.state)
        # a state that was filled before must not see the same ids again
        self.identifiers = Identifiers(_aged(settings.random_seed, self.state.age()))
        self.log = RequestLog(settings.log_capacity)
        self.read_lag = ReadLag()
        self.lost_responses: set[str] = set()
        self.clock_offset = 0.0
        self.limits = RateLimits(self.now, self.switches, settings.rate_limits)
        self.bound_url: str | None = None

    def now(self) -> float:
        """Seconds since the epoch, moved by `clock_offset`."""
        return time.time() + self.clock_offset


def _aged(seed: int | None, age: int) -> int | str | None:
    return f"{seed}+{age}" if seed is not None and age else seed
