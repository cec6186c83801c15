"""One round in this process, in virtual time: chaos, then peace, then the reckoning."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Delete
from reconciler.core.errors import ReconcilerError
from reconciler.core.outcome import Applied, Unneeded
from reconciler.core.state import DesiredState
from tests.soak.estates import EDITABLE, edited, new_emulator, random_estate
from tests.soak.trace import Trace, judge_deletes, judge_twins
from tests.soak.witness import Witness, runner
from tests.support.estate import Estate
from tests.support.service import Moment

if TYPE_CHECKING:
    import httpx

    from reconciler.core.address import Address
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from reconciler.emulator import Emulator

EFFECTS: Final = (
    "429",
    "429:retry-after=2",
    "500",
    "500:after",
    "502",
    "503:after",
    "504:after",
    "html",
    "truncated",
    "truncated:before",
    "empty:after",
    "malformed:after",
    "hang:seconds=90",
    "hang:after,seconds=90",
    "reset",
    "reset:after",
)
SHARE: Final = 0.2
"""Of all requests are struck by a fault."""

_LOST_CREATE: Final = "the response to create "
"""What a run says whose create was not answered in time."""

_ATTEMPTS: Final = 4
"""Runs in peace within which everything must hold."""


@dataclass
class Reckoning:
    """What a round brought: counts, and in ``wrong`` everything that must not happen."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Run:
    """One runner of a round, and how it ended."""

    name: str
    estate: Estate
    delay: float
    dies_at: tuple[int, Moment] | None
    freezes_at: int = 0
    seconds_frozen: float = 0.0
    plan: Plan | None = None
    result: ApplyResult | None = None
    requests: int = 0
    was_killed: bool = False
    task: asyncio.Task[None] | None = None


def chance_of_each(effects: int) -> float:
    """Return how likely each of so many independent faults must be, so that together they reach `SHARE`."""
    return float(1 - (1 - SHARE) ** (1 / effects))


def play(seed: str) -> Reckoning:
    """Play one round; the same seed gives the same round."""
    chance = random.Random(seed)
    return _Round(chance, new_emulator(chance)).play()


class _Round:
    def __init__(self, chance: random.Random, emulator: Emulator) -> None:
        self._chance = chance
        self._emulator = emulator
        self._reckoning = Reckoning()
        self._desired = DesiredState(random_estate(chance, emulator))
        self._unmanaged = self._bystanders()
        self._witness = Witness(emulator, self._names())
        names = ("first", "second", "third")[: chance.choice([1, 2, 2, 2, 3])]
        self._in_the_same_moment = chance.random() < 0.5
        self._runs = [self._run(name) for name in names]
        self._edits = chance.choice([0, 0, 0, 1, 3])
        self._lag = chance.choice([0, 0, 0, 1, 3])

    def play(self) -> Reckoning:
        """Play the round to its end."""
        self._unleash()
        self._runs[0].estate.run(self._chaos())
        self._judge_chaos()
        self._pacify()
        self._judge_peace()
        return self._reckoning

    def _run(self, name: str) -> _Run:
        dies = self._chance.random() < 0.3
        moment = self._chance.choice(list(Moment))
        freezes = self._chance.random() < 0.3
        run = _Run(
            name,
            Estate(self._emulator, self._desired, chance=self._chance.random),
            delay=0.0 if self._in_the_same_moment else self._chance.choice([0.0, 0.0, 0.2, 2.0]),
            dies_at=(self._chance.randint(1, 40), moment) if dies else None,
            freezes_at=self._chance.randint(1, 40) if freezes else 0,
            seconds_frozen=self._chance.choice([0.5, 2.0, 5.0, 9.0, 20.0, 60.0]),
        )
        run.estate.frozen = lambda: self._frozen(run)
        return run

    def _frozen(self, run: _Run) -> float:
        """Return how long a run stands still after the request of its last number was answered."""
        if run.requests != run.freezes_at:
            return 0.0
        run.freezes_at = 0
        self._reckoning.counts["freezes"] += 1
        return run.seconds_frozen

    def _unleash(self) -> None:
        effects = self._chance.sample(EFFECTS, 4)
        for effect in effects:
            kind, _, options = effect.partition(":")
            words = ",".join(filter(None, (options, f"chance={chance_of_each(len(effects))}")))
            self._emulator.add_fault(f"*:{kind}:{words}")
        self._emulator.add_fault("*:latency:seconds=0,up-to=0.4")
        self._emulator.set_switch("read-lag", str(self._lag) if self._lag else "none")
        self._emulator.request_log.clear()

    async def _chaos(self) -> None:
        for run in self._runs:
            run.task = asyncio.create_task(self._live(run))
        person = asyncio.create_task(self._person())
        await asyncio.wait([run.task for run in self._runs if run.task])
        person.cancel()
        with suppress(asyncio.CancelledError):
            await person
        for run in self._runs:
            for service in run.estate.services:
                await service.settle()

    async def _live(self, run: _Run) -> None:
        await asyncio.sleep(run.delay)
        run.estate.hook = lambda moment, request: self._watch(run, moment, request)
        try:
            run.plan = await run.estate.planned(run.name)
            self._witness.saw_plan(run.name)
            run.result = await run.estate.applied(run.plan, run.name)
        except asyncio.CancelledError:
            run.was_killed = True
        except ReconcilerError:
            self._reckoning.counts["runs that ended with an error"] += 1
        except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
            self._reckoning.wrong.append(f"traceback: {error!r}")

    def _watch(self, run: _Run, moment: Moment, request: httpx.Request) -> None:
        self._witness.hook(moment, request)
        run.requests += moment is Moment.BEFORE
        if (run.requests, moment) == run.dies_at and run.task:
            run.task.cancel()

    async def _person(self) -> None:
        for _ in range(self._edits):
            await asyncio.sleep(self._chance.uniform(0, 3))
            done = {edit.connection_id for edit in self._witness.edits}
            live = [
                connection["connection_id"]
                for connection in self._live_connections()
                if connection["client_id"]
            ]
            live = [connection for connection in live if connection not in done]
            if live:
                self._witness.edit(
                    self._chance.choice(live), edited(self._chance, (*EDITABLE, "client_secret"))
                )
                self._reckoning.counts["edits by a person"] += 1

    def _judge_chaos(self) -> None:
        counts = self._reckoning.counts
        counts["runs"] += len(self._runs)
        counts["rounds with two runs"] += len(self._runs) == 2
        counts["rounds with three runs"] += len(self._runs) == 3
        counts["rounds with runs that start in the same moment"] += (
            len(self._runs) > 1 and self._in_the_same_moment
        )
        counts["rounds with a list that lags"] += bool(self._lag)
        counts["kills"] += sum(run.was_killed for run in self._runs)
        requests = list(self._emulator.request_log)
        counts["requests"] += len(requests)
        counts["faults"] += sum(any("latency" not in name for name in request.faults) for request in requests)
        self._judge_writes()
        self._judge_deletes()
        self._judge_twins()
        self._judge_claims()

    def _judge_writes(self) -> None:
        counts, wrong = self._reckoning.counts, self._reckoning.wrong
        if self._lag:  # what a list shows then is not what there is
            return
        counts["overwritten between the last look and the write"] += self._witness.races()
        wrong += [f"duplicate: {one}" for one in self._witness.avoidable_duplicates()]
        wrong += [f"lost update: {one}" for one in self._witness.lost_updates()]

    def _judge_deletes(self) -> None:
        planned = {
            run.name: {
                change.before.connection_id or ""
                for change in (run.plan.changes if run.plan else ())
                if isinstance(change, Delete)
            }
            for run in self._runs
        }
        judge_deletes(self._trace(), self._reckoning, planned)

    def _judge_twins(self) -> None:
        """Two of one name are a finding, but where product excuses them, or a person edited one in time."""
        trace, estate = self._trace(), self._runs[0].estate
        for desired in estate.desired.connections:
            last_seen = trace.last_seen(estate.organization_id(desired), self._survivors())
            edited = {edit.connection_id for edit in self._witness.edits if edit.position <= last_seen}
            live = estate.live(desired)
            configured = {one["connection_id"] for one in live if one["client_id"]}
            if len(configured) > 1 and len(configured - edited) < 2:
                self._judge_edited_twins(desired.address, configured)
            cut_off = {run.name: self._said(desired.address, run).count(_LOST_CREATE) for run in self._runs}
            judge_twins(replace(trace, cut_off=cut_off), self._reckoning, live, edited)

    def _survivors(self) -> set[str]:
        return {run.name for run in self._runs if not run.was_killed}

    def _trace(self) -> Trace:
        return Trace(
            requests=tuple(self._emulator.request_log),
            runner=runner,
            killed={run.name for run in self._runs if run.was_killed},
            edits={edit.connection_id: edit.position for edit in self._witness.edits},
            lists_lag=bool(self._lag),
        )

    def _judge_edited_twins(self, address: Address, configured: set[str]) -> None:
        """What a person has edited is not compared: it stays, and a run or the next plan names both."""
        named = [
            diagnostic.summary for diagnostic in Estate(self._emulator, self._desired).plan().diagnostics
        ]
        if any(all(name in text for name in configured) for text in (self._said(address), *named)):
            self._reckoning.counts["two configured, one edited by a person, both named"] += 1
        else:
            self._reckoning.wrong.append(f"twins that nobody names: {address}")

    def _said(self, address: Address, *runs: _Run) -> str:
        return " / ".join(
            str(outcome)
            for run in runs or self._runs
            for outcome in (run.result.outcomes if run.result else ())
            if outcome.address == address
        )

    def _judge_claims(self) -> None:
        """Nobody else having written, what a run says it has done must hold."""
        if len(self._runs) > 1 or self._edits or self._lag:
            return
        (run,) = self._runs
        if run.result is None:
            return
        unheld = set(run.estate.unheld())
        done = {
            str(outcome.address) for outcome in run.result.outcomes if isinstance(outcome, Applied | Unneeded)
        }
        self._reckoning.wrong += [f"claimed and does not hold: {one}" for one in done & unheld]
        if run.estate.doubled():
            self._reckoning.wrong.append(f"doubled by a run that was alone: {run.estate.doubled()}")

    def _pacify(self) -> None:
        self._emulator.clear_faults()
        self._emulator.set_switch("read-lag", "none")
        estate = Estate(self._emulator, self._desired)
        for _ in range(self._lag):
            estate.plan()  # until the lists show what there is
        doubled = set(estate.doubled())
        plan = estate.plan()
        named = {
            diagnostic.address
            for diagnostic in plan.diagnostics
            if diagnostic.code in {"ambiguous-match", "leftover"}
        }
        deleted = {  # leftovers, where `prune: true`
            (change.address.organization, change.before.display_name)
            for change in plan.changes
            if isinstance(change, Delete)
        }
        named |= {
            str(desired.address)
            for desired in self._desired.connections
            if (desired.address.organization, desired.connection.display_name) in deleted
        }
        self._reckoning.wrong += [f"silent duplicate: {one}" for one in doubled - named]
        for one in self._desired.connections:
            configured_first = sorted(estate.live(one), key=lambda live: not live["client_id"])
            for superfluous in configured_first[1:]:  # as the messages say: delete what is not meant
                self._emulator.remove_connection(superfluous["connection_id"])

    def _judge_peace(self) -> None:
        estate = Estate(self._emulator, self._desired)
        plan = estate.plan()
        for _ in range(_ATTEMPTS):
            if not plan.has_changes:
                break
            estate.apply(plan)
            plan = estate.plan()
        if plan.has_changes or plan.has_errors or estate.unheld():
            self._reckoning.wrong.append(f"not converged: {estate.unheld()} {plan.diagnostics}")
        if self._bystanders() != self._unmanaged:
            self._reckoning.wrong.append("an unmanaged connection was touched")

    def _live_connections(self) -> list[dict[str, str]]:
        return [
            connection
            for organization in self._desired.organizations
            for connection in self._emulator.oidc_connections(organization.reference)
            if not connection["display_name"].startswith("unmanaged")
        ]

    def _bystanders(self) -> list[dict[str, str]]:
        return [
            connection
            for organization in self._desired.organizations
            if not organization.prune
            for connection in self._emulator.oidc_connections(organization.reference)
            if connection["display_name"].startswith("unmanaged")
        ]

    def _names(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (connection["organization_id"], connection["display_name"])
            for organization in self._desired.organizations
            for connection in self._emulator.oidc_connections(organization.reference)
        )
