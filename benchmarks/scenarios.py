"""What is run: the project and what it is measured against, on the same estates and the same service."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from benchmarks.comparators.zones import write_zones
from benchmarks.estate import CONNECTIONS, ENVIRONMENT, manifest, write_estate, write_project
from benchmarks.measure import ROOT, Cost, Counted, cost_of, service, typical
from benchmarks.tools import CACHE, python_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.estate import Estate

UNLIMITED: Final = 100_000.0
_SLOWEST: Final = "SDK, sequential"
"""Takes minutes and is no target: measured once."""

_OWN: Final = (sys.executable, "-m", "reconciler")
_OCTODNS: Final = CACHE / "octodns" / "bin" / "octodns-sync"
BARE_CLIENT: Final = "bare client: httpx on aiohttp"
BARE_AIOHTTP: Final = "bare client: aiohttp alone"
SHORT_RECORDS: Final = "octoDNS, short records"

_COMPARATORS: Final = ROOT / "benchmarks" / "comparators"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one scenario cost, and what the service was asked in one run of it."""

    cost: Cost
    counted: Counted = field(default_factory=lambda: Counted({}, 0, 0.0))


def measure_starts(folder: Path, runs: int) -> Mapping[str, Cost]:
    """Start the interpreter alone, and the shortest calls of the command."""
    write_estate(folder, 1)
    calls = {
        "python -c pass": (sys.executable, "-c", "pass"),
        "--version": (*_OWN, "--version"),
        "--help": (*_OWN, "--help"),
        "validate": (*_OWN, "validate"),
    }
    _interleaved(calls, folder, 1)  # from here on bytecode is there, and files are in memory
    return _interleaved(calls, folder, runs)


def measure_loading(estate: Estate, runs: int) -> Mapping[str, Cost]:
    """Load and validate an estate, and read the bare events of the same files."""
    calls = {
        "validate": (*_OWN, "validate"),
        "events": (sys.executable, str(_COMPARATORS / "events.py")),
    }
    return _interleaved(calls, estate.folder, runs)


def measure_plans(estate: Estate, runs: int) -> Mapping[str, Measured]:
    """Plan an estate in which nothing differs, and have others do the same.

    The plan is run before each of the others: where a machine has quick and slow minutes, it has its share
    of those in which they ran.
    """
    zones, short = estate.folder / "zones", estate.folder / "short-zones"
    write_zones(zones, estate.organizations, CONNECTIONS)
    write_zones(short, estate.organizations, CONNECTIONS, short=True)
    with service(estate.organizations) as api:
        write_project(estate.folder, api.base_url, requests_per_second=UNLIMITED)
        environment = ENVIRONMENT | {"BASE_URL": api.base_url}
        sdk, bare = python_of("stytch-sdk"), python_of("bare-client")
        others: dict[str, tuple[Sequence[str | Path], Path]] = {
            BARE_CLIENT: (
                (bare, _COMPARATORS / "bare_client.py", str(estate.organizations)),
                estate.folder,
            ),
            BARE_AIOHTTP: (
                (sys.executable, _COMPARATORS / "bare_aiohttp.py", str(estate.organizations)),
                estate.folder,
            ),
            "events": ((sys.executable, _COMPARATORS / "events.py"), estate.folder),
            "octoDNS": ((_OCTODNS, "--config-file", "config.yaml"), zones),
            SHORT_RECORDS: ((_OCTODNS, "--config-file", "config.yaml"), short),
            "SDK, async": ((sdk, _COMPARATORS / "sdk_async.py"), estate.folder),
            _SLOWEST: ((sdk, _COMPARATORS / "sdk_sync.py"), estate.folder),
        }
        costs: dict[str, list[Cost]] = {name: [] for name in ("reconciler", *others)}
        for run in range(runs):
            for name, (words, folder) in others.items():
                if run == 0 or name != _SLOWEST:
                    costs["reconciler"].append(cost_of((*_OWN, "plan"), estate.folder, environment))
                    costs[name].append(cost_of(words, folder, environment))
    return {name: Measured(typical(found)) for name, found in costs.items()}


def measure_plan(estate: Estate, runs: int = 1) -> Measured:
    """Plan an estate in which nothing differs; return what the service was asked in one run."""
    return _typical([_against(estate, ("plan",)) for _ in range(runs)])


def measure_unneeded_apply(estate: Estate) -> Measured:
    """Apply where nothing differs."""
    return _against(estate, ("apply", "--auto-approve"))


def measure_apply(estate: Estate, rate: float, halve_after: int = 0) -> Measured:
    """Create everything that an estate declares, at a rate that may halve after some requests."""
    options = ("--empty", "--rate", f"{rate:g}", "--halve-after", str(halve_after))
    return _against(estate, ("apply", "--auto-approve"), options, rate)


def measure_changed(estate: Estate, runs: int) -> Mapping[str, Measured]:
    """Plan the one organization that was changed since the last commit, and that file by its name."""
    index = estate.organizations // 2
    changed = estate.manifests[index]
    calls = {
        "--changed-since": (*_OWN, "plan", "--changed-since", "HEAD"),
        "by name": (*_OWN, "plan", str(changed.relative_to(estate.folder))),
    }
    found: dict[str, list[Measured]] = {name: [] for name in calls}
    with service(estate.organizations) as api:
        write_project(estate.folder, api.base_url, requests_per_second=UNLIMITED)
        _commit_all(estate.folder)
        changed.write_text(manifest(index, suffix="b"), encoding="utf-8")
        for _ in range(runs):
            for name, words in calls.items():
                before = api.counted().accepted
                cost = cost_of(words, estate.folder, ENVIRONMENT)
                counted = api.counted()
                found[name].append(Measured(cost, replace(counted, accepted=counted.accepted - before)))
        changed.write_text(manifest(index), encoding="utf-8")
    return {name: _typical(measured) for name, measured in found.items()}


def _against(
    estate: Estate, words: Sequence[str], options: Iterable[str] = (), rate: float = UNLIMITED
) -> Measured:
    with service(estate.organizations, *options) as api:
        write_project(estate.folder, api.base_url, requests_per_second=rate)
        cost = cost_of((*_OWN, *words), estate.folder, ENVIRONMENT)
        return Measured(cost, api.counted())


def _typical(measured: Sequence[Measured]) -> Measured:
    return Measured(typical([one.cost for one in measured]), measured[-1].counted)


def _interleaved(calls: Mapping[str, Sequence[str | Path]], folder: Path, runs: int) -> Mapping[str, Cost]:
    """Run all calls in turn, so that what else the machine does meets all of them alike."""
    costs: dict[str, list[Cost]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, words in calls.items():
            costs[name].append(cost_of(words, folder, ENVIRONMENT))
    return {name: typical(found) for name, found in costs.items()}


def _commit_all(folder: Path) -> None:
    identity = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
    for words in (
        ("init", "--quiet"),
        ("add", "organizations", "reconciler.yaml"),
        ("commit", "--quiet", "--message", "as it is live"),
    ):
        subprocess.run(["git", *identity, *words], cwd=folder, check=True)  # noqa: S607  the user's own Git
