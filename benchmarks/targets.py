"""The table of targets: what is measured, against what, and the bounds to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An upper bound of a figure; ``moonshot`` is the bound that seemed barely possible."""

    name: str
    against: str
    bound: float
    moonshot: float | None = None
    unit: str = "×"

    def format(self, figure: float) -> str:
        """Return a figure with its unit."""
        digits = 2 if self.unit in {"×", " %"} else 0
        return f"{figure:,.{digits}f}{self.unit}"


TARGETS: Final = {
    "plan": Target(
        name="plan of 10,000 connections, none changed, at 100 requests/s",
        against="requests ÷ rate",
        bound=1.05,
        moonshot=1.01,
    ),
    "plan_core": Target(
        name="CPU of that plan", against="one core for its wall time", bound=25, moonshot=12, unit=" %"
    ),
    "plan_octodns": Target(
        name="CPU of the same plan without a limit",
        against="octoDNS with as many records",
        bound=1 / 4,
        moonshot=1 / 6,
    ),
    "plan_sdk": Target(
        name="CPU of the same plan without a limit",
        against="async script on Stytch's SDK",
        bound=1 / 3,
        moonshot=1 / 4.5,
    ),
    "plan_requests": Target(
        name="requests of that plan, beyond one per organization and one per 1,000",
        against="counted",
        bound=3,
        unit="",
    ),
    "load": Target(
        name="CPU to load and validate 10,000 connections",
        against="libyaml's bare event stream over the same bytes",
        bound=3.5,
        moonshot=2,
    ),
    "changed_requests": Target(
        name="requests of a plan of one changed organization among 10,000 files",
        against="counted",
        bound=2,
        unit="",
    ),
    "changed": Target(name="CPU of that plan", against="a plan where only that file exists", bound=1.5),
    "apply": Target(
        name="apply of 1,000 creates at 100 requests/s",
        against="necessary requests ÷ rate",
        bound=1.05,
        moonshot=1.01,
    ),
    "apply_halved": Target(
        name="the same when the limit halves midway",
        against="necessary requests ÷ the two rates",
        bound=1.15,
        moonshot=1.05,
    ),
    "refused": Target(
        name="429 responses at a limit", against="all requests, worst run", bound=1, moonshot=0.2, unit=" %"
    ),
    "unchanged_writes": Target(
        name="writes of an apply when nothing differs", against="counted", bound=0, unit=""
    ),
    "memory": Target(
        name="peak memory of a plan of 10,000 connections",
        against="measured",
        bound=100,
        moonshot=70,
        unit=" MB",
    ),
    "memory_large": Target(
        name="peak memory of a plan of 100,000 connections",
        against="measured",
        bound=400,
        moonshot=300,
        unit=" MB",
    ),
    "report_requests": Target(
        name="requests to identity providers of a plan, none of 10,000 connections changed",
        against="counted",
        bound=0,
        unit="",
    ),
    "report": Target(name="CPU of that plan", against="the plan with `discovery: off`", bound=1.02),
    "verify": Target(
        name="`verify` of 1,000 connections at 200 issuers that respond after 20 ms",
        against="(requests ÷ allowed concurrency) × 20 ms",
        bound=1.3,
        moonshot=1.1,
    ),
    "issuer": Target(
        name="CPU to ask an issuer for metadata and keys over a new TLS connection",
        against="measured",
        bound=6,
        unit=" ms",
    ),
    "help": Target(name="CPU of `--help`", against="`python -c pass`", bound=5, moonshot=3),
    "validate": Target(
        name="CPU of `validate` of one file", against="`python -c pass`", bound=12, moonshot=8
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A target and the figure measured for it."""

    target: Target
    measured: float

    @property
    def is_reached(self) -> bool:
        """Whether the figure is within the bound."""
        return self.measured <= self.target.bound

    @property
    def verdict(self) -> str:
        """The result in a few words."""
        if not self.is_reached:
            return f"**missed by {self._excess}**"
        moonshot = self.target.moonshot
        return "moonshot" if moonshot is not None and self.measured <= moonshot else "reached"

    @property
    def _excess(self) -> str:
        if not self.target.bound:
            return self.target.format(self.measured)
        return f"{100 * (self.measured / self.target.bound - 1):.0f} %"
