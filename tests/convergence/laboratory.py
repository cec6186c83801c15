"""One cell: an operation under one answer to an open question, applied, planned again, applied again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.change import Delete, Update
from reconciler.core.planner import Choices
from reconciler.emulator import Emulator, EmulatorSettings
from reconciler.workflow.plan import PlanMetadata, plan_organizations
from tests.convergence.circumstances import CIRCUMSTANCES, metadata
from tests.convergence.operations import ISSUER, NEW_ISSUER, OPERATIONS, connection_id
from tests.faults.estate import SCOPE, SECRETS, Estate, declared, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from reconciler.core.state import DesiredConnection
    from tests.convergence.operations import Case


class Laboratory(Estate):
    """An estate in which a plan can be told to rotate secrets."""

    async def planned(self, runner: str = "", rotate: tuple[str, ...] = ()) -> Plan:
        async with self._provider(runner) as provider:
            return await plan_organizations(
                self.desired.organizations,
                provider,
                choices=Choices(secrets=SECRETS, rotate=rotate),
                limits=self.limits,
                metadata=PlanMetadata(scope=SCOPE, created_at="2026-11-21T00:00:00+00:00"),
                progress=self.watcher,
            )

    def carried_out(self) -> Counter[tuple[str, str, str]]:
        """Count the equal writes that the server has carried out since this was asked last."""
        done = [one for one in self.emulator.request_log.writes if one.applied]
        self.emulator.request_log.clear()
        return Counter((one.method, one.path, json.dumps(one.body, sort_keys=True)) for one in done)


@dataclass(frozen=True)
class Cell:
    """What came of it: two plans and applies, the plan after them, and the writes of each apply."""

    estate: Laboratory
    first: Plan
    applied: ApplyResult
    writes: Counter[tuple[str, str, str]]
    second: Plan
    repeated: ApplyResult
    rewrites: Counter[tuple[str, str, str]]
    third: Plan

    @property
    def mark(self) -> str:
        """How it ended, in one character; see `docs/test-reports/convergence.md`."""
        if any(one.is_error for one in self.first.diagnostics):
            return "⊘"
        if self.second.has_changes or not self.applied.is_complete:
            return "≠"
        return "="

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is said of what does not hold."""
        refused = tuple(one.summary for one in self.first.diagnostics if one.is_error)
        return refused or tuple(one.message for one in self.applied.failed)

    @property
    def differing(self) -> set[str]:
        """The fields that the next plan would update."""
        return {name for one in self.second.changes if isinstance(one, Update) for name in one.changed}


def run(switch: str, value: str, operation: str) -> Cell:
    """Make the experiment; without a switch everything is as by default."""
    case = OPERATIONS[operation]()
    emulator = Emulator(EmulatorSettings(random_seed=1, log_secrets=True))
    estate = Laboratory(emulator)
    if switch:
        emulator.set_switch(switch, value)
    emulator.add_organization("acme")
    for issuer in (ISSUER, NEW_ISSUER):
        emulator.set_discovery(issuer, metadata(issuer))
    if switch in CIRCUMSTANCES:
        CIRCUMSTANCES[switch](case, emulator)
    for name, fields in case.live.items():
        emulator.add_connection("acme", connection_id=connection_id(name), **fields)
    if case.live and emulator.organization("acme")["sso_default_connection_id"]:
        emulator.edit_organization("acme", sso_default_connection_id=connection_id(next(iter(case.live))))
    if case.is_gone_meanwhile:
        estate.watcher.on_start = lambda change: _delete_first(change, emulator)
    estate.declare(manifest("acme", *_declarations(case)))
    return _experiment(estate, ("acme/*",) if case.rotates else ())


def _experiment(estate: Laboratory, rotate: tuple[str, ...]) -> Cell:
    first = estate.run(estate.planned(rotate=rotate))
    applied, writes = estate.apply(first), estate.carried_out()
    second = estate.plan()
    repeated, rewrites = estate.apply(second), estate.carried_out()
    return Cell(estate, first, applied, writes, second, repeated, rewrites, estate.plan())


def _delete_first(change: Change, emulator: Emulator) -> None:
    if isinstance(change, Delete):
        emulator.remove_connection(change.before.connection_id or "")


def _declarations(case: Case) -> Iterator[DesiredConnection]:
    for name, fields in case.wanted.items():
        yield declared("acme", name, pin=connection_id(name) if name in case.live else None, **fields)
    for name in case.live:
        if name not in case.wanted:
            yield declared("acme", name, absent=True, pin=connection_id(name))
