"""Everything an operation may consult or change."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from reconciler.emulator.behaviours import Behaviours
from reconciler.emulator.identifiers import Identifiers
from reconciler.emulator.rate_limit import RateLimits
from reconciler.emulator.read_lag import ReadLag
from reconciler.emulator.state import State

if TYPE_CHECKING:
    from reconciler.emulator.settings import EmulatorSettings


class World:
    """State, switches, ids and clock of one emulator; `clock_offset` is in seconds."""

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.state = State(settings.state)
        self.behaviours = Behaviours(settings.behaviours)
        self.identifiers = Identifiers(settings.random_seed)
        self.chance = random.Random(settings.random_seed)  # noqa: S311 -- repeatable on purpose
        self.read_lag = ReadLag()
        self.clock_offset = 0.0
        self.limits = RateLimits(self.now, self.behaviours, settings.rate_limits)
        self.bound_url: str | None = None

    def now(self) -> float:
        """Seconds since the epoch, moved by `clock_offset`."""
        return time.time() + self.clock_offset
