"""What is to be reached: ratios, each with the figure that was measured for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DECK_SECONDS: Final = 4.9
OCTODNS_SECONDS: Final = 22.2
SDK_SECONDS: Final = 16.6
"""decK, octoDNS and the asynchronous script on the SDK planning 10,000 objects, as they were measured side
by side on another machine. decK is not installed here; how much faster than the others it was tells how
fast it would be."""


def deck_estimate(octodns: float, sdk: float) -> float:
    """Return the seconds that decK would take here, by the comparison that is harder on us."""
    return DECK_SECONDS * min(octodns / OCTODNS_SECONDS, sdk / SDK_SECONDS)


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure. ``moonshot`` is the bound that was thought to be just possible."""

    name: str
    against: str
    measured: float
    bound: float
    moonshot: float
    unit: str = "×"

    @property
    def is_reached(self) -> bool:
        """Whether the figure is within the bound."""
        return self.measured <= self.bound

    @property
    def verdict(self) -> str:
        """How the figure stands to the bounds, in a word or two."""
        if self.measured <= self.moonshot:
            return "moonshot"
        return "reached" if self.is_reached else "**missed**"

    def shown(self, figure: float) -> str:
        """Return a figure with its unit."""
        digits = 0 if self.unit in {"", " MB"} else 3 if figure < 1 else 2
        return f"{figure:,.{digits}f}{self.unit or ''}"
