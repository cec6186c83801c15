"""``python -m benchmarks``: measure all rows in one run and write docs/test-reports/performance.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import scenarios
from benchmarks.estate import write_estate
from benchmarks.measure import ROOT
from benchmarks.page import Measurements, render
from benchmarks.tools import PACKAGES, python_of

_PAGE: Final = ROOT / "docs" / "test-reports" / "performance.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Numbers of repetitions and organizations."""

    runs: int
    starts: int
    organizations: int
    files: int
    large: int
    creating: int
    issuers: int


_FULL: Final = Extent(
    runs=3, starts=15, organizations=2_000, files=10_000, large=20_000, creating=200, issuers=200
)
_QUICK: Final = Extent(runs=1, starts=5, organizations=200, files=1_000, large=2_000, creating=20, issuers=20)


def main() -> int:
    """Measure, print and write the page. The exit code is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of all sizes; writes nothing")
    options = parser.parse_args()
    if options.quick:
        print(
            "quick run, a tenth of the sizes named in the table: nothing is written, targets do not apply\n"
        )
        print(render(measure(_QUICK)))
        return 0
    measurements = measure(_FULL)
    page = render(measurements)
    _PAGE.write_text(page, encoding="utf-8")
    print(page)
    missed = [row for row in measurements.rows if not row.is_reached]
    for row in missed:
        target = row.target
        print(f"missed: {target.name}: {target.format(row.measured)}, target {target.format(target.bound)}")
    return 1 if missed else 0


def measure(extent: Extent) -> Measurements:
    """Run every scenario once; the other programs are installed first."""
    for name in PACKAGES:
        python_of(name)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        _log("start-up")
        starts = scenarios.measure_starts(folder / "one", extent.starts)
        _log("load and validate")
        estate = write_estate(folder / "estate", extent.organizations)
        size = estate.size
        loading = scenarios.measure_loading(estate, extent.runs)
        _log("plan without a limit, octoDNS, script on the SDK")
        plans = scenarios.measure_plans(estate, extent.runs)
        _log("plan at the limit")
        plan = scenarios.measure_plan(estate, scenarios.RATE)
        unchanged = scenarios.measure_unchanged_apply(estate)
        _log("plan of one changed organization")
        files = write_estate(folder / "files", extent.files)
        changed, changed_requests = scenarios.measure_changed(files, folder / "alone", extent.runs)
        _log("large plan")
        large = scenarios.measure_plan(write_estate(folder / "large", extent.large))
        _log("plan with discovery, verify")
        discovery, requests = scenarios.measure_discovery(
            folder / "discovery", extent.organizations, extent.runs
        )
        verified = scenarios.measure_verify(folder / "verify", extent.issuers)
        _log("apply at the limit")
        creating = write_estate(folder / "creating", extent.creating)
        return Measurements(
            size=size,
            starts=starts,
            loading=loading,
            plan=plan,
            plans=plans,
            unchanged=unchanged,
            changed=changed,
            changed_requests=changed_requests,
            applied=scenarios.measure_apply(creating, halve=False),
            halved=scenarios.measure_apply(creating, halve=True),
            large=large,
            verified=verified,
            discovery=discovery,
            discovery_requests=requests,
        )


def _log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
