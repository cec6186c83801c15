"""Runs the scenarios: reconciler and the other programs, on the same manifests and the same service."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.comparators.zones import write_zones
from benchmarks.estate import CONNECTIONS, ENVIRONMENT, environment_for, manifest, write_estate, write_project
from benchmarks.measure import ROOT, Cost, Counted, cost_of, median_cost, service
from benchmarks.tools import CACHE, python_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.estate import Estate

UNLIMITED: Final = 100_000.0
RATE: Final = 100.0
"""Requests per second where there is a limit."""

_RECONCILER: Final = (sys.executable, "-m", "reconciler")
_COMPARATORS: Final = ROOT / "benchmarks" / "comparators"
_EVENTS: Final = (sys.executable, str(_COMPARATORS / "events.py"))
_OCTODNS: Final = (CACHE / "octodns" / "bin" / "octodns-sync", "--config-file", "config.yaml")

Costs = dict[str, Cost]


@dataclass(frozen=True, slots=True)
class Run:
    """The cost of one command on an estate, and the requests that the service counted."""

    estate: Estate
    cost: Cost
    counted: Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """An apply that creates everything; ``bound`` is its shortest possible time in seconds."""

    run: Run
    necessary: int
    bound: float


def measure_starts(folder: Path, runs: int) -> Costs:
    """Measure start-up: the bare interpreter, the help, and validating one file."""
    write_estate(folder, 1)
    commands = {
        "python -c pass": (sys.executable, "-c", "pass"),
        "--help": (*_RECONCILER, "--help"),
        "validate": (*_RECONCILER, "validate"),
    }
    _measure_in_turn(commands, folder, 1)  # writes bytecode and fills the file cache
    return _measure_in_turn(commands, folder, runs)


def measure_loading(estate: Estate, runs: int) -> Costs:
    """Measure loading and validating, and libyaml's event stream of the same files."""
    return _measure_in_turn({"validate": (*_RECONCILER, "validate"), "events": _EVENTS}, estate.folder, runs)


def measure_plans(estate: Estate, runs: int) -> Costs:
    """Measure a plan without changes and without a limit, before each run of the other programs.

    Running in turn means that a slow minute of the machine affects all of them.
    """
    zones = estate.folder / "zones"
    write_zones(zones, estate.organizations, CONNECTIONS)
    with service(estate.organizations) as api:
        write_project(estate.folder, requests_per_second=UNLIMITED)
        environment = environment_for(api.base_url) | {"BASE_URL": api.base_url}
        script = (python_of("stytch-sdk"), _COMPARATORS / "sdk_script.py")
        costs: dict[str, list[Cost]] = {"reconciler": [], "octoDNS": [], "SDK": []}
        for _ in range(runs):
            costs["reconciler"].append(cost_of((*_RECONCILER, "plan"), estate.folder, environment))
            costs["octoDNS"].append(cost_of(_OCTODNS, zones, environment))
            costs["reconciler"].append(cost_of((*_RECONCILER, "plan"), estate.folder, environment))
            costs["SDK"].append(cost_of(script, estate.folder, environment))
    return {name: median_cost(measured) for name, measured in costs.items()}


def measure_plan(estate: Estate, rate: float = 0.0) -> Run:
    """Measure a plan without changes; a ``rate`` of 0 is no limit."""
    return _run(estate, "plan", rate=rate)


def measure_unchanged_apply(estate: Estate) -> Run:
    """Measure an apply where nothing differs."""
    return _run(estate, "apply", "--auto-approve")


def measure_apply(estate: Estate, *, halve: bool) -> Apply:
    """Measure creating every connection at `RATE`, which may halve midway."""
    necessary = necessary_requests(estate)
    first = necessary // 2 if halve else necessary
    options = ["--empty", *(("--halve-after", str(first)) if halve else ())]
    run = _run(estate, "apply", "--auto-approve", rate=RATE, options=options)
    bound = first / RATE + (necessary - first) / (RATE / 2)
    return Apply(run=run, necessary=necessary, bound=bound)


def measure_changed(estate: Estate, alone: Path, runs: int) -> tuple[Costs, Counted]:
    """Measure the plan of one changed organization, and that in ``alone``, a folder of that file only.

    Returns:
        The median costs, and the requests of one plan of the changed organization.
    """
    index = estate.organizations // 2
    changed = estate.manifests[index]
    copy = alone / changed.relative_to(estate.folder)
    copy.parent.mkdir(parents=True)
    costs: dict[str, list[Cost]] = {"changed": [], "alone": []}
    with service(estate.organizations) as api:
        for folder in (estate.folder, alone):
            write_project(folder, requests_per_second=UNLIMITED)
        _commit_all(estate.folder)
        for file in (changed, copy):
            file.write_text(manifest(index, suffix="b"), encoding="utf-8")
        words = (*_RECONCILER, "plan", "--changed-since", "HEAD")
        environment = environment_for(api.base_url)
        cost_of(words, estate.folder, environment)
        counted = api.counted()
        for _ in range(runs):
            costs["changed"].append(cost_of(words, estate.folder, environment))
            costs["alone"].append(cost_of((*_RECONCILER, "plan"), alone, environment))
    return {name: median_cost(measured) for name, measured in costs.items()}, counted


def necessary_requests(estate: Estate) -> int:
    """Return the requests needed to create everything; the page lists why."""
    return searches(estate.organizations) + 2 * estate.organizations + 3 * estate.connections


def searches(organizations: int) -> int:
    """Return the searches for that many organizations, a thousand each."""
    return -(-organizations // 1000)


def _run(estate: Estate, *words: str, rate: float = 0.0, options: Iterable[str] = ()) -> Run:
    with service(estate.organizations, "--rate", f"{rate:g}", *options) as api:
        write_project(estate.folder, requests_per_second=rate or UNLIMITED)
        cost = cost_of((*_RECONCILER, *words), estate.folder, environment_for(api.base_url))
        return Run(estate, cost, api.counted())


def _measure_in_turn(commands: Mapping[str, Sequence[str]], folder: Path, runs: int) -> Costs:
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, words in commands.items():
            costs[name].append(cost_of(words, folder, ENVIRONMENT))
    return {name: median_cost(measured) for name, measured in costs.items()}


def _commit_all(folder: Path) -> None:
    identity = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
    for words in (
        ("init", "--quiet"),
        ("add", "organizations", "reconciler.yaml"),
        ("commit", "--quiet", "--message", "unchanged"),
    ):
        subprocess.run(["git", *identity, *words], cwd=folder, check=True)  # noqa: S607 -- the user's own Git
