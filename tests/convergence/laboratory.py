"""One cell: an operation under one answer to an open question, applied, planned again, applied again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.change import Delete, Update
from reconciler.emulator import Emulator, EmulatorSettings
from tests.convergence.circumstances import CIRCUMSTANCES, metadata
from tests.convergence.operations import ISSUER, NEW_ISSUER, OPERATIONS, connection_id
from tests.support.estate import Estate, complete
from tests.support.values import manifest

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from reconciler.core.change import Change
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from reconciler.core.state import DesiredConnection
    from tests.convergence.operations import Case


@dataclass(frozen=True)
class Cell:
    """What came of it: two plans and applies, the plan after them, and the writes of each apply."""

    estate: Estate
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
        if any(diagnostic.is_error for diagnostic in self.first.diagnostics):
            return "⊘"
        if self.second.has_changes or not self.applied.is_complete:
            return "≠"
        return "="

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is said of what does not hold."""
        refused = tuple(diagnostic.summary for diagnostic in self.first.diagnostics if diagnostic.is_error)
        return refused or tuple(outcome.message for outcome in self.applied.failed)

    @property
    def differing(self) -> set[str]:
        """The fields that the next plan would update."""
        return {
            name for change in self.second.changes if isinstance(change, Update) for name in change.changed
        }


def run(switch: str, value: str, operation: str) -> Cell:
    """Make the experiment; without a switch everything is as by default."""
    case = OPERATIONS[operation]()
    emulator = Emulator(EmulatorSettings(random_seed=1, log_secrets=True))
    estate = Estate(emulator)
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


def _experiment(estate: Estate, rotate: tuple[str, ...]) -> Cell:
    first = estate.plan(rotate=rotate)
    applied, writes = estate.apply(first), estate.take_writes()
    second = estate.plan()
    repeated, rewrites = estate.apply(second), estate.take_writes()
    return Cell(estate, first, applied, writes, second, repeated, rewrites, estate.plan())


def _delete_first(change: Change, emulator: Emulator) -> None:
    if isinstance(change, Delete):
        emulator.remove_connection(change.before.connection_id or "")


def _declarations(case: Case) -> Iterator[DesiredConnection]:
    for name, fields in case.wanted.items():
        yield complete("acme", name, pin=connection_id(name) if name in case.live else None, **fields)
    for name in case.live:
        if name not in case.wanted:
            yield complete("acme", name, absent=True, pin=connection_id(name))
