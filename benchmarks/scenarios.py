"""Runs the scenarios: reconciler and the other programs, on the same manifests and the same service."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.idp import IdpSettings

from benchmarks.comparators.zones import write_zones
from benchmarks.estate import (
    AT_ONCE,
    CONNECTIONS,
    ENVIRONMENT,
    LATENCY,
    environment_for,
    issuer_at,
    manifest,
    write_estate,
    write_project,
)
from benchmarks.identity_providers import CA_FILE, identity_providers
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """A verify, and the requests that its identity providers have counted."""

    run: Run
    issuers: int
    requests: int
    issuer_cpu: float

    @property
    def bound(self) -> float:
        """The shortest possible time in seconds, for reading the API and for asking the providers."""
        reading = self.run.counted.accepted / AT_ONCE
        return (reading + self.requests / IdpSettings().concurrency) * LATENCY


def measure_verify(folder: Path, issuers: int) -> Verify:
    """Measure a verify of connections of which those of one organization share an issuer."""
    with identity_providers(issuers, folder) as providers:
        estate = write_estate(folder, issuers, providers.ports)
        words = [sys.executable, str(_COMPARATORS / "issuers.py"), str(folder / CA_FILE)]
        urls = map(issuer_at, providers.ports)
        printed = subprocess.run([*words, *urls], cwd=ROOT, check=True, capture_output=True, text=True)
        before = 2 * (issuers + 1)  # metadata and keys; the first issuer is asked twice
        run = _run(estate, "verify", idp=f"{{ca_file: {CA_FILE}}}")
    return Verify(
        run=run, issuers=issuers, requests=providers.requests - before, issuer_cpu=float(printed.stdout)
    )


def measure_discovery(folder: Path, organizations: int, runs: int) -> tuple[Costs, int]:
    """Measure a plan without changes with `discovery: report` and without it.

    Returns:
        The median costs, and the requests to the identity providers.
    """
    costs: dict[str, list[Cost]] = {"report": [], "off": []}
    with identity_providers(1, folder) as providers:
        estate = write_estate(folder, organizations, providers.ports)
        for _ in range(runs):
            for discovery, measured in costs.items():
                idp = f"{{discovery: {discovery}, ca_file: {CA_FILE}}}"
                measured.append(_run(estate, "plan", idp=idp).cost)
    return {name: median_cost(measured) for name, measured in costs.items()}, providers.requests


def necessary_requests(estate: Estate) -> int:
    """Return the requests needed to create everything; the page lists why."""
    return searches(estate.organizations) + 2 * estate.organizations + 3 * estate.connections


def searches(organizations: int) -> int:
    """Return the searches for that many organizations, a thousand each."""
    return -(-organizations // 1000)


def _run(estate: Estate, *words: str, rate: float = 0.0, options: Iterable[str] = (), idp: str = "{}") -> Run:
    ports = ",".join(map(str, estate.ports))
    with service(estate.organizations, "--rate", f"{rate:g}", "--ports", ports, *options) as api:
        write_project(estate.folder, requests_per_second=rate or UNLIMITED, idp=idp)
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
