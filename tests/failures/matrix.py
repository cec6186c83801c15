"""The matrix of operations and circumstances: how one cell is set up, run and observed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.core.change import Update
from reconciler.core.errors import ReconcilerError
from reconciler.core.outcome import ApplyResult
from reconciler.emulator import Emulator, EmulatorSettings
from tests.failures.operations import ISSUER, NEW_ISSUER, connection_id
from tests.support.estate import Estate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.plan import Plan
    from reconciler.emulator import LoggedRequest
    from tests.failures.operations import Connections, Operation


def _nothing(_operation: Operation, _estate: Estate) -> None:
    """The default setup."""


@dataclass(frozen=True, kw_only=True)
class Circumstance:
    """What is unusual: a setup of the service that stays, and a fault that ends with the first run.

    No equal write takes effect more often than ``most_writes``. If ``hides_writes``, the service does not
    list what was written until after the run has given up reading.
    """

    arrange: Callable[[Operation, Estate], None] = _nothing
    fault_of_plan: str = ""
    fault_of_apply: str = ""
    most_writes: int = 1
    hides_writes: bool = False


@dataclass(frozen=True, kw_only=True)
class Round:
    """One plan and apply, or the error instead of a plan, and what the server held at its end."""

    plan: Plan | None
    result: ApplyResult
    error: str
    seconds: float
    requests: tuple[LoggedRequest, ...]
    doubled: tuple[str, ...]
    unheld: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the run says of itself that everything now holds."""
        return self.plan is not None and self.plan.is_complete and self.result.is_complete

    @property
    def writes(self) -> Counter[tuple[str, str, str]]:
        """The number of equal writes that took effect."""
        return Counter(
            (request.method, request.path, json.dumps(request.body, sort_keys=True))
            for request in self.requests
            if request.applied
        )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An operation in its circumstances: a round, another one without the fault, and a last plan."""

    circumstance: Circumstance
    estate: Estate
    first: Round
    second: Round
    last_plan: Plan

    @property
    def sentences(self) -> tuple[str, ...]:
        """The messages of the first round: why it was refused, or what failed."""
        diagnostics = self.first.plan.diagnostics if self.first.plan else ()
        refused = tuple(diagnostic.summary for diagnostic in diagnostics if diagnostic.is_error)
        return refused or tuple(outcome.message for outcome in self.first.result.failed)

    @property
    def differing(self) -> set[str]:
        """The fields that the second plan updates."""
        changes = self.second.plan.changes if self.second.plan else ()
        return {name for change in changes if isinstance(change, Update) for name in change.changed}


@dataclass(frozen=True)
class Experiment:
    """A cell that has not been run."""

    operation: Callable[[], Operation]
    circumstance: Circumstance

    def run(self) -> Cell:
        """Plan and apply twice, on an emulator of its own."""
        operation = self.operation()
        estate = set_up(operation, self.circumstance)
        first = _run_round(estate, self.circumstance, operation.rotate)
        second = _run_round(estate)
        return Cell(
            circumstance=self.circumstance, estate=estate, first=first, second=second, last_plan=estate.plan()
        )


@dataclass(frozen=True)
class Row:
    """A line of a table: its labels, and the experiments of each of its columns."""

    labels: tuple[str, ...]
    experiments: Mapping[str, tuple[Experiment, ...]]

    def run(self) -> dict[str, tuple[Cell, ...]]:
        return {
            column: tuple(experiment.run() for experiment in experiments)
            for column, experiments in self.experiments.items()
        }


NOTHING_UNUSUAL = Circumstance()


def set_up(operation: Operation, circumstance: Circumstance = NOTHING_UNUSUAL) -> Estate:
    """Store what is live before an operation, and declare what is wanted."""
    emulator = Emulator(EmulatorSettings(random_seed=1, log_secrets=True))
    estate = Estate(emulator)
    for organization in operation.organizations:
        emulator.add_organization(organization)
    for issuer in (ISSUER, NEW_ISSUER):
        emulator.set_discovery(issuer, metadata(issuer))
    circumstance.arrange(operation, estate)
    for organization, connections in operation.live.items():
        _store(emulator, organization, connections, pinned=operation.pinned)
    estate.declare(*operation.declarations())
    return estate


def metadata(issuer: str) -> dict[str, Any]:
    """Return a discovery document whose URLs nobody declares."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/published/authorize",
        "token_endpoint": f"{issuer}/published/token",
        "userinfo_endpoint": f"{issuer}/published/userinfo",
        "jwks_uri": f"{issuer}/published/keys",
    }


def _store(emulator: Emulator, organization: str, connections: Connections, *, pinned: bool) -> None:
    ids = []
    for name, fields in connections.items():
        given = {"connection_id": connection_id(name)} if pinned else {}
        ids.append(emulator.add_connection(organization, **given, **fields)["connection_id"])
    if ids and emulator.organization(organization)["sso_default_connection_id"]:
        emulator.edit_organization(organization, sso_default_connection_id=ids[0])


def _run_round(
    estate: Estate, circumstance: Circumstance = NOTHING_UNUSUAL, rotate: tuple[str, ...] = ()
) -> Round:
    emulator = estate.emulator
    faults = [emulator.add_fault(circumstance.fault_of_plan)] if circumstance.fault_of_plan else []
    plan, result, error = None, ApplyResult(), ""
    try:
        plan = estate.plan(rotate=rotate)
    except ReconcilerError as reason:
        error = str(reason)
    seconds = estate.took
    if plan:
        if circumstance.fault_of_apply:
            faults.append(emulator.add_fault(circumstance.fault_of_apply))
        result = estate.apply(plan)
        seconds = max(seconds, estate.took)
    for fault in faults:
        emulator.remove_fault(fault)
    requests = emulator.request_log.writes
    emulator.request_log.clear()
    return Round(
        plan=plan,
        result=result,
        error=error,
        seconds=seconds,
        requests=requests,
        doubled=estate.doubled(),
        unheld=estate.unheld(),
    )
