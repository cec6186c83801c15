"""Writes docs/test-reports/performance.md: results first, then targets, details and method."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.estate import AT_ONCE, CONNECTIONS, LATENCY
from benchmarks.scenarios import RATE, searches
from benchmarks.targets import TARGETS, Row
from benchmarks.tools import version_in

if TYPE_CHECKING:
    from benchmarks.measure import Counted
    from benchmarks.scenarios import Apply, Costs, Run, Verify

_PACKAGES: Final = ("httpx", "pydantic", "PyYAML", "click")
_BUSY_LOAD: Final = 2.5
"""Load above which other work ran too: the measured program and the service account for two."""

_DECK: Final = """\
The benchmark does not install decK. Elsewhere, side by side, planning 10,000 objects took decK 4.9 s
(6.0 s of CPU), octoDNS 22.2 s and the async script 16.6 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """All measurements of one run; ``size`` is in bytes, of the manifests."""

    size: int
    starts: Costs
    loading: Costs
    plan: Run
    plans: Costs
    unchanged: Run
    changed: Costs
    changed_requests: Counted
    applied: Apply
    halved: Apply
    large: Run
    verified: Verify
    discovery: Costs
    discovery_requests: int

    @property
    def rows(self) -> tuple[Row, ...]:
        """The table of targets with the measured figures."""
        figures = self._figures()
        return tuple(Row(target, figures[name]) for name, target in TARGETS.items())

    def _figures(self) -> dict[str, float]:
        plan, own = self.plan.cost, self.plans["reconciler"]
        requests, organizations = self.plan.counted.accepted, self.plan.estate.organizations
        limited = (self.plan, self.applied.run, self.halved.run)
        floor = self.starts["python -c pass"].cpu
        return {
            "plan": plan.wall / (requests / RATE),
            "plan_core": 100 * plan.cpu / plan.wall,
            "plan_octodns": own.cpu / self.plans["octoDNS"].cpu,
            "plan_sdk": own.cpu / self.plans["SDK"].cpu,
            "plan_requests": requests - organizations - searches(organizations),
            "load": self.loading["validate"].cpu / self.loading["events"].cpu,
            "changed_requests": self.changed_requests.accepted,
            "changed": self.changed["changed"].cpu / self.changed["alone"].cpu,
            "apply": self.applied.run.cost.wall / self.applied.bound,
            "apply_halved": self.halved.run.cost.wall / self.halved.bound,
            "refused": max(run.counted.refused_share for run in limited),
            "unchanged_writes": self.unchanged.counted.writes,
            "memory": own.memory,
            "memory_large": self.large.cost.memory,
            "report_requests": self.discovery_requests,
            "report": self.discovery["report"].cpu / self.discovery["off"].cpu,
            "verify": self.verified.run.cost.wall / self.verified.bound,
            "issuer": self.verified.issuer_cpu,
            "help": self.starts["--help"].cpu / floor,
            "validate": self.starts["validate"].cpu / floor,
        }


def render(measurements: Measurements) -> str:
    """Return the page."""
    parts = (
        "# Performance",
        _summary(measurements),
        _targets(measurements.rows),
        _other_programs(measurements),
        _requests(measurements.applied),
        _method(),
    )
    return "\n\n".join(parts) + "\n"


def _summary(measurements: Measurements) -> str:
    verified = measurements.verified
    plan, created, large = measurements.plan, measurements.applied.run, measurements.large
    share = 100 * plan.cost.cpu / plan.cost.wall
    rows = measurements.rows
    missed = sum(not row.is_reached for row in rows)
    verdict = f"{missed} of {len(rows)} targets are missed." if missed else "All targets are reached."
    return f"""\
The API's rate limit decides how long a run takes: a plan sends one request per organization, and one search
per 1,000 organizations. At {RATE:.0f} requests per second:

- A plan of {plan.estate.connections:,} connections in {plan.estate.organizations:,} organizations takes
  {plan.cost.wall:.1f} s, {share:.0f} % of one core and {plan.cost.memory:.0f} MB.
- Creating {created.estate.connections:,} connections takes {created.cost.wall:.1f} s and
  {created.counted.accepted:,} requests; {created.counted.refused:,} more got a 429.
- A plan of one changed organization takes {measurements.changed_requests.accepted} requests and
  {measurements.changed["changed"].wall:.1f} s.
- `verify` of {verified.run.estate.connections:,} connections at {verified.issuers} issuers takes
  {verified.run.cost.wall:.1f} s and {verified.requests:,} requests to them.

Without a limit, the first plan takes {measurements.plans["reconciler"].wall:.1f} s, and a plan of
{large.estate.connections:,} connections {large.cost.wall:.0f} s and {large.cost.memory:.0f} MB.

{verdict}"""


def _targets(rows: tuple[Row, ...]) -> str:
    lines = [
        "## Targets\n",
        "| | Measured against | Measured | Target | Moonshot | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        target = row.target
        moonshot = "" if target.moonshot is None else target.format(target.moonshot)
        figures = f"{target.format(row.measured)} | {target.format(target.bound)} | {moonshot}"
        lines.append(f"| {target.name} | {target.against} | {figures} | {row.verdict} |")
    return "\n".join(lines)


def _other_programs(measurements: Measurements) -> str:
    labels = {
        "reconciler": "reconciler, no limit",
        "octoDNS": "octoDNS, YAML against YAML, no network",
        "SDK": f"async script on Stytch's SDK, {AT_ONCE} requests at once",
    }
    rows = {
        "reconciler, 100 requests/s": measurements.plan.cost,
        **{labels[name]: cost for name, cost in measurements.plans.items()},
        "`reconciler validate`": measurements.loading["validate"],
        "libyaml's event stream alone": measurements.loading["events"],
    }
    table = "\n".join(
        f"| {name} | {cost.wall:.2f} | {cost.cpu:.2f} | {cost.memory:.0f} |" for name, cost in rows.items()
    )
    return f"""\
## {measurements.plan.estate.connections:,} connections beside other programs

Manifests of {measurements.size / 1e6:.1f} MB, one file per organization of {CONNECTIONS} connections; nothing
differs. An octoDNS record holds the same texts as a connection.

| | wall s | CPU s | MB |
|---|---|---|---|
{table}

{_DECK}"""


def _requests(applied: Apply) -> str:
    organizations, connections = applied.run.estate.organizations, applied.run.estate.connections
    return f"""\
## Requests of {connections:,} creates

| Requests | Which | Why |
|---|---|---|
| {searches(organizations)} | searches for organizations | manifests name organizations by id or slug |
| {organizations} | lists, while planning | a plan compares with the live connections |
| {organizations} | lists, before the first write to an organization | changes since the plan are refused |
| {connections:,} | `POST` | the API creates a connection with its name and provider only |
| {connections:,} | `PUT` | sets all other fields |
| {connections:,} | lists, after each connection | verifies the result and finds concurrent duplicates |

{applied.necessary:,} requests are necessary; {applied.run.counted.accepted:,} were sent."""


def _method() -> str:
    load = os.getloadavg()[2]
    state = "busy with other work" if load > _BUSY_LOAD else "otherwise idle"
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"""\
## Method

`make bench` measures everything in one run and writes this page. Figures are medians over whole processes,
start-up included. Other programs run in turn with the plan they are compared with. The API is a local
process that responds after {LATENCY * 1000:.0f} ms and enforces the limit per second. Times depend on the
machine; compare ratios.

Python {platform.python_version()} on {os.cpu_count()} cores ({_processor()}), {state}: a load of {load:.1f}
over 15 minutes. {packages}; octoDNS {version_in("octodns", "octodns")}, stytch
{version_in("stytch-sdk", "stytch")}."""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
