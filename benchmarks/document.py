"""Figures → ``docs/test-reports/performance.md``: what was measured, where, and the targets."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.estate import AT_ONCE, CONNECTIONS, LATENCY
from benchmarks.scenarios import BARE_AIOHTTP, BARE_CLIENT, SHORT_RECORDS
from benchmarks.targets import DECK_SECONDS, OCTODNS_SECONDS, SDK_SECONDS, Target, deck_estimate
from benchmarks.tools import version_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.measure import Cost
    from benchmarks.scenarios import Measured

_PACKAGES: Final = ("reconciler", "aiohttp", "orjson", "httpx", "pydantic", "PyYAML", "click")

_BUSY: Final = 2.5
"""Load from which on somebody else must have been at work: what is measured and the service make two."""

_INTRODUCTION: Final = """\
# Performance

`make bench` measures everything on this page in one run, side by side, and writes the page. Figures are
medians over whole processes, start-up included; the plan of 10,000 runs before each of those that it is
compared with, as often as all of them together. Absolute times say little about another machine: the
ratios are what counts. The service is a process on the same machine that answers after 20 ms.
"""

_WHY: Final = """\
| Requests | Which | The promise that needs them |
|---|---|---|
| {searches} | searches for organizations | a manifest may name an organization by slug, and a pin is \
verified; one search finds a thousand |
| {organizations} | lists, while planning | nothing is planned but against what is live |
| {organizations} | lists, before the first write of each organization | an object that changed since the \
plan is refused |
| {connections} | `POST` | the service creates a connection with its name and provider only |
| {connections} | `PUT` | everything else is an update |
| {connections} | lists, after each write | what was declared is seen to hold, a twin of another run is \
seen, and the next write is judged by it: nothing is read twice in between |
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """A plan without changes at one size."""

    organizations: int
    connections: int
    plan: Measured


@dataclass(frozen=True, slots=True)
class Applied:
    """Creating everything at a rate; ``bound`` is in seconds."""

    organizations: int
    connections: int
    measured: Measured
    needed: int
    bound: float

    @property
    def refused_share(self) -> float:
        """Percent of the requests that were answered with 429."""
        counted = self.measured.counted
        return 100 * counted.refused / (counted.accepted + counted.refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything that was measured. ``size`` is in bytes, of the manifests of ``connections``."""

    starts: Mapping[str, Cost]
    loading: Mapping[str, Cost]
    plans: Mapping[str, Measured]
    unneeded: Measured
    changed: Mapping[str, Measured]
    growth: tuple[Growth, ...]
    applied: Applied
    halved: Applied
    connections: int
    size: int

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets, in the order of the table."""
        return (
            *self._reading(),
            *self._planning(),
            *self._changing(),
            *self._applying(),
            *self._memory(),
            *self._starting(),
        )

    def _reading(self) -> Iterator[Target]:
        ratio = self.loading["validate"].cpu / self.loading["events"].cpu
        name = f"load and validate {self.connections:,} connections, CPU"
        yield Target(name, "libyaml's bare event stream over the same bytes", ratio, 2.5, 1.5)

    def _planning(self) -> Iterator[Target]:
        plan = self.plans["reconciler"].cost
        name = f"plan {self.connections:,} connections, none changed, wall"
        octodns = self.plans["octoDNS"].cost.wall
        sdk = self.plans["SDK, async"].cost.wall
        deck = deck_estimate(octodns, sdk)
        yield Target(name, "octoDNS, as many records (1/8, 1/14)", plan.wall / octodns, 1 / 8, 1 / 14)
        yield Target(name, "script on the SDK, async (1/6, 1/10)", plan.wall / sdk, 1 / 6, 1 / 10)
        yield Target(name, f"decK, estimated at {deck:.1f} s", plan.wall / deck, 1, 0.5)
        floor = self.plans[BARE_CLIENT].cost.cpu + self.plans["events"].cost.cpu
        yield Target("CPU of that plan", "bare client + bare event stream", plan.cpu / floor, 1.6, 1.2)
        largest = self.growth[-1]
        bound = largest.organizations + largest.organizations / 1000 + 3
        counted = float(largest.plan.counted.accepted)
        yield Target(f"requests of a plan of {largest.connections:,}", "counted", counted, bound, bound, "")

    def _changing(self) -> Iterator[Target]:
        changed, by_name = self.changed["--changed-since"], self.changed["by name"]
        ratio = changed.cost.cpu / by_name.cost.cpu
        requests = float(changed.counted.accepted)
        yield Target("requests of a plan of one changed organization", "counted", requests, 2, 2, "")
        yield Target("CPU of that plan", "the plan of that file by its name", ratio, 1.5, 1.5)

    def _applying(self) -> Iterator[Target]:
        for applied, which, bound, moonshot in (
            (self.applied, "at 100 requests/s", 1.05, 1.01),
            (self.halved, "when the limit halves midway", 1.15, 1.05),
        ):
            ratio = applied.measured.cost.wall / applied.bound
            name = f"apply, {applied.connections:,} creates {which}"
            yield Target(name, f"needed requests / rate: {applied.bound:.1f} s", ratio, bound, moonshot)
            yield Target("429 answers on the way", "counted", applied.refused_share, 1, 0.2, " %")
        writes = float(self.unneeded.counted.writes)
        yield Target("writes of an apply when nothing differs", "counted", writes, 0, 0, "")

    def _memory(self) -> Iterator[Target]:
        first, last = self.growth[-2:]
        memory, most = first.plan.cost.memory, last.plan.cost.memory
        yield Target(f"peak memory of a plan of {first.connections:,}", "measured", memory, 60, 45, " MB")
        yield Target(
            f"the same of {last.connections:,}", f"that of {first.connections:,}", most / memory, 1.2, 1.02
        )

    def _starting(self) -> Iterator[Target]:
        floor = self.starts["python -c pass"].cpu
        for name, bound, moonshot in (("--version", 2, 1.4), ("--help", 3, 2), ("validate", 8, 4)):
            shown = "`validate` of one file" if name == "validate" else f"`{name}`"
            yield Target(f"{shown}, CPU", "`python -c pass`", self.starts[name].cpu / floor, bound, moonshot)


def render(figures: Figures) -> str:
    """Return the document."""
    return "\n".join(
        [
            _INTRODUCTION,
            *_where(),
            *_targets(figures.targets),
            *_remarks(figures.plans),
            *_plans(figures),
            *_growth(figures.growth),
            *_apply(figures.applied),
            *_starts(figures.starts),
        ]
    )


def _where() -> Iterator[str]:
    load = os.getloadavg()[2]
    state = "busy with other work" if load > _BUSY else "otherwise idle"
    yield f"The machine was {state}: its load was {load:.1f} over the last 15 minutes.\n"
    yield f"Measured on {os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}, with"
    own = [f"{name} {version(name)}" for name in _PACKAGES]
    others = [f"octoDNS {version_in('octodns', 'octodns')}", f"stytch {version_in('stytch-sdk', 'stytch')}"]
    yield f"{', '.join(own)}; against {', '.join(others)}.\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _targets(targets: Iterable[Target]) -> Iterator[str]:
    yield "## What is to be reached\n"
    yield "| | Measured against | Measured | Target | Moonshot | |\n|---|---|---|---|---|---|"
    for one in targets:
        figures = (one.shown(one.measured), one.shown(one.bound), one.shown(one.moonshot))
        yield f"| {one.name} | {one.against} | {' | '.join(figures)} | {one.verdict} |"


def _remarks(plans: Mapping[str, Measured]) -> Iterator[str]:
    short = plans["reconciler"].cost.wall / plans[SHORT_RECORDS].cost.wall
    yield (
        f"\ndecK is not installed by the benchmark: planning 10,000 objects took it {DECK_SECONDS} s "
        f"where octoDNS took {OCTODNS_SECONDS} s and the script on the SDK {SDK_SECONDS} s, side by side on "
        "another machine; here the same share is taken of that one which makes it faster. octoDNS compares "
        "YAML with YAML, without any network; its records hold the same texts as the connections, which it "
        "reads as YAML twice where we read YAML once and JSON once. Until November 2026 this page held one "
        f"short name a record against a connection; by that the ratio would be {short:.3f}×."
    )
    alone = plans[BARE_AIOHTTP].cost.cpu + plans["events"].cost.cpu
    yield (
        "The bare client is `httpx.AsyncClient` on the transport of aiohttp, the quickest that httpx has, as "
        "it has been since this page began. Plans ask through aiohttp alone; with that for a bare client "
        f"their CPU would be {plans['reconciler'].cost.cpu / alone:.2f}×.\n"
    )
    yield (
        "The floor of the plan of one changed organization is the plan of that file by its name: start-up, "
        "reading the file, and the same requests; what remains is asking Git.\n"
    )


def _plans(figures: Figures) -> Iterator[str]:
    yield f"## Plan of {figures.connections:,} connections, none changed\n"
    yield f"Manifests of {figures.size / 1e6:.1f} MB, one file for each organization of five connections.\n"
    yield "| | wall s | CPU s | MB |\n|---|---|---|---|"
    for name, one in figures.plans.items():
        yield f"| {name} | {one.cost.wall:.2f} | {one.cost.cpu:.2f} | {one.cost.memory:.0f} |"
    for name, cost in figures.loading.items():
        label = "`reconciler validate`" if name == "validate" else "libyaml's events alone"
        yield f"| {label} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.memory:.0f} |"
    yield f"\n{_floor(figures)}\n"


def _floor(figures: Figures) -> str:
    """Return what bounds the time of a plan, whoever makes it."""
    requests = figures.connections // CONNECTIONS
    waiting = requests / AT_ONCE * LATENCY
    bare, events = figures.plans[BARE_AIOHTTP].cost, figures.plans["events"].cost
    return (
        f"{requests:,} requests, {AT_ONCE} at once and each answered after {LATENCY * 1000:.0f} ms, take "
        f"{waiting:.2f} s at least; aiohttp alone and libyaml's bare events together need "
        f"{bare.cpu + events.cpu:.2f} s of one processor. Python uses one at a time, so nothing that reads "
        "the manifests through libyaml and asks through aiohttp is quicker than the larger of the two."
    )


def _growth(growth: Iterable[Growth]) -> Iterator[str]:
    yield "## How cost grows\n"
    yield "![Seconds and megabytes over connections](performance.svg)\n"
    yield "| connections | wall s | CPU s | MB | requests |\n|---|---|---|---|---|"
    for one in growth:
        cost, counted = one.plan.cost, one.plan.counted
        figures = f"{cost.wall:.2f} | {cost.cpu:.2f} | {cost.memory:.0f} | {counted.accepted:,}"
        yield f"| {one.connections:,} | {figures} |"
    yield (
        "\n`make scale` plans 100,000 connections alone. Organizations are read, compared and forgotten in "
        "batches; what remains of each is its name and where it is declared, to find duplicates.\n"
    )


def _apply(applied: Applied) -> Iterator[str]:
    yield f"## The requests of an apply of {applied.connections:,} creates\n"
    searches = applied.needed - 2 * applied.organizations - 3 * applied.connections
    yield _WHY.format(
        searches=searches, organizations=applied.organizations, connections=f"{applied.connections:,}"
    )
    sent, seconds = applied.measured.counted.accepted, applied.measured.cost.wall
    yield f"Together {applied.needed:,} are needed; {sent:,} were sent, in {seconds:.1f} s.\n"


def _starts(starts: Mapping[str, Cost]) -> Iterator[str]:
    yield "## Start-up\n"
    yield "| | wall ms | CPU ms | MB |\n|---|---|---|---|"
    for name, cost in starts.items():
        yield f"| `{name}` | {cost.wall * 1000:.0f} | {cost.cpu * 1000:.0f} | {cost.memory:.0f} |"
    yield ""
