"""``python -m benchmarks``: measure everything in one run and write ``docs/test-reports/performance.md``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import scenarios
from benchmarks.document import Applied, Figures, Growth, render
from benchmarks.estate import CONNECTIONS, write_estate
from benchmarks.measure import ROOT
from benchmarks.plot import Line, draw
from benchmarks.tools import PACKAGES, python_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.estate import Estate
    from benchmarks.scenarios import Measured

_RATE = 100.0


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    runs: int
    starts: int
    organizations: int
    creating: int
    sizes: tuple[int, ...]


_FULL = Extent(runs=3, starts=15, organizations=2_000, creating=200, sizes=(200, 2_000, 20_000))
_QUICK = Extent(runs=1, starts=5, organizations=200, creating=20, sizes=(20, 200))


def main() -> int:
    """Measure, print what was found, and write the document unless the run was a short one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, written nowhere")
    parser.add_argument("--scale", type=int, metavar="CONNECTIONS", help="only plan that many connections")
    options = parser.parse_args()
    if options.scale:
        return _scale(options.scale)
    figures = measure_all(_QUICK if options.quick else _FULL)
    text = render(figures)
    if not options.quick:
        _write(text, figures.growth)
    print(text)
    missed = [one for one in figures.targets if not one.is_reached]
    for one in missed:
        print(f"missed: {one.name}: {one.shown(one.measured)}, bound {one.shown(one.bound)}")
    return 1 if missed else 0


def measure_all(extent: Extent) -> Figures:
    """Measure everything; what is compared runs in turn."""
    for name in PACKAGES:
        python_of(name)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        starts = scenarios.measure_starts(place / "one", extent.starts)
        _say("starts measured")
        estate = write_estate(place / "estate", extent.organizations)
        loading = scenarios.measure_loading(estate, extent.runs)
        _say("loading measured")
        plans = scenarios.measure_plans(estate, extent.runs)
        _say("plans measured")
        unneeded = scenarios.measure_unneeded_apply(estate)
        changed = scenarios.measure_changed(estate, extent.runs)
        _say("changes measured")
        growth = _growth(place, extent.sizes)
        creating = write_estate(place / "creating", extent.creating)
        return Figures(
            starts=starts,
            loading=loading,
            plans=plans,
            unneeded=unneeded,
            changed=changed,
            growth=growth,
            applied=_applied(creating, halves=False),
            halved=_applied(creating, halves=True),
            connections=estate.connections,
            size=estate.size,
        )


def _growth(place: Path, sizes: Sequence[int]) -> tuple[Growth, ...]:
    found = []
    for organizations in sizes:
        estate = write_estate(place / f"growing-{organizations}", organizations)
        found.append(Growth(estate.organizations, estate.connections, scenarios.measure_plan(estate)))
        _say(f"{estate.connections:,} connections planned")
    return tuple(found)


def _applied(estate: Estate, *, halves: bool) -> Applied:
    needed = needed_requests(estate)
    measured: Measured = scenarios.measure_apply(estate, _RATE, needed // 2 if halves else 0)
    _say("apply measured")
    bound = needed / _RATE if not halves else needed // 2 / _RATE + (needed - needed // 2) / (_RATE / 2)
    return Applied(estate.organizations, estate.connections, measured, needed, bound)


def needed_requests(estate: Estate) -> int:
    """Return how many requests creating all of an estate takes; the document says why."""
    plan = estate.organizations + searches(estate.organizations)
    return plan + estate.organizations + 3 * estate.organizations * CONNECTIONS


def searches(organizations: int) -> int:
    """Return how many searches resolve that many references: each one a thousand, foreseen ones included."""
    return -(-organizations // 1000)


def _scale(connections: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        estate = write_estate(Path(folder), connections // CONNECTIONS)
        measured = scenarios.measure_plan(estate)
    cost, counted = measured.cost, measured.counted
    print(
        f"plan of {estate.connections:,} connections in {estate.organizations:,} organizations: "
        f"{cost.wall:.1f} s, {cost.cpu:.1f} s CPU, {cost.memory:.0f} MB, {counted.accepted:,} requests"
    )
    return 0


def _write(text: str, growth: Sequence[Growth]) -> None:
    (ROOT / "docs/test-reports/performance.md").write_text(text, encoding="utf-8")
    lines = [
        Line("seconds", [(one.connections, one.plan.cost.wall) for one in growth]),
        Line("seconds of CPU", [(one.connections, one.plan.cost.cpu) for one in growth]),
        Line("megabytes", [(one.connections, one.plan.cost.memory) for one in growth]),
    ]
    image = draw("Plan without changes: how cost grows", lines)
    (ROOT / "docs/test-reports/performance.svg").write_text(image, encoding="utf-8")


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
