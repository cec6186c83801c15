"""The run over all organizations: in parallel, deletes last, one failure never hiding another."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, assert_never

from reconciler.applier.settling import ReadBackPolicy, Settling
from reconciler.applier.writing import Writing
from reconciler.core.change import Create, Delete, Update
from reconciler.core.errors import AccessDenied, ProviderError
from reconciler.core.operation import AlreadyDone, Proceed, Stale, judge, to_operations
from reconciler.core.outcome import Applied, ApplyResult, Failed, Skipped, Unneeded
from reconciler.core.state import Organization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.applier.settling import Sleep
    from reconciler.applier.writing import Effect
    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.outcome import Outcome
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import LiveOrganization
    from reconciler.providers.base import Provider


class Observer(Protocol):
    """Is told when an operation begins and ends."""

    def started(self, change: Change) -> None:
        """Take note that the operation begins now."""
        ...

    def finished(self, outcome: Outcome) -> None:
        """Take note of what became of it."""
        ...


async def apply_changes(
    changes: Sequence[Change],
    provider: Provider,
    secrets: Mapping[SecretReference, Secret],
    *,
    observer: Observer,
    stop: asyncio.Event,
    concurrency: int,
    clock: Callable[[], float],
    patience: ReadBackPolicy | None = None,
    sleep: Sleep = asyncio.sleep,
) -> ApplyResult:
    """Carry out all changes and return what became of each.

    When ``stop`` is set no new operation begins; those under way end by themselves. An answer that
    access is denied ends the run in the same way. ``clock`` gives seconds and is used for durations only.
    """
    run = _Run(
        provider=provider,
        secrets=secrets,
        observer=observer,
        stop=stop,
        clock=clock,
        patience=patience or ReadBackPolicy(),
        sleep=sleep,
    )
    groups = to_operations(changes)
    limit = asyncio.Semaphore(concurrency)
    await run.in_parallel(_without(Delete, groups), limit)
    await run.in_parallel(_only(Delete, groups), limit)
    order = {change.address: index for index, change in enumerate(changes)}
    outcomes = sorted(run.outcomes, key=lambda outcome: order[outcome.address])
    return ApplyResult(tuple(outcomes), interrupted=stop.is_set())


@dataclass(slots=True, kw_only=True)
class _Run:
    provider: Provider
    secrets: Mapping[SecretReference, Secret]
    observer: Observer
    stop: asyncio.Event
    clock: Callable[[], float]
    patience: ReadBackPolicy
    sleep: Sleep
    outcomes: list[Outcome] = field(default_factory=list)
    denied: bool = False
    failures: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    async def in_parallel(self, groups: Iterable[Sequence[Change]], limit: asyncio.Semaphore) -> None:
        async with asyncio.TaskGroup() as tasks:
            for group in groups:
                tasks.create_task(self._one_organization(group, limit))

    async def _one_organization(self, group: Sequence[Change], limit: asyncio.Semaphore) -> None:
        async with limit:
            live: LiveOrganization | None = None
            for change in group:
                outcome, live = await self._one(change, live)
                self.failures[change.organization_id] += isinstance(outcome, Failed)
                self.outcomes.append(outcome)
                self.observer.finished(outcome)

    async def _one(
        self, change: Change, live: LiveOrganization | None
    ) -> tuple[Outcome, LiveOrganization | None]:
        reason = self._reason_to_skip(change)
        if reason is not None:
            return _skipped(change, reason), live
        try:
            return await self._carry_out(change, live)
        except AccessDenied as error:
            self.denied = True
            return _failed(change, error), None
        except ProviderError as error:
            return _failed(change, error), None

    def _reason_to_skip(self, change: Change) -> str | None:
        if self.denied:
            return "access was denied, so the run stopped"
        if self.stop.is_set():
            return "interrupted"
        if isinstance(change, Delete) and self.failures[change.organization_id]:
            return "an earlier change of this organization failed, and deletes come last"
        return None

    async def _carry_out(
        self, change: Change, live: LiveOrganization | None
    ) -> tuple[Outcome, LiveOrganization]:
        """Judge fresh state, write if it is still what the plan saw, and read back.

        What was read back after one operation is what the next one of the organization is judged
        by: nothing lies between the two.
        """
        organization = Organization(organization_id=change.organization_id)
        if isinstance(change, Delete):
            organization = await self.provider.refresh_organization(organization)
            live = None
        settling = Settling(self.provider, organization, self.patience, self.sleep)
        live = live or await settling.once()
        verdict = judge(change, live, self.secrets)
        match verdict:
            case AlreadyDone(connection):
                return _unneeded(change, connection), live
            case Stale(reason):
                return _stale(change, reason), live
            case Proceed(connection_id):
                return await self._write(change, live, settling, connection_id)
            case _:
                assert_never(verdict)

    async def _write(
        self, change: Change, live: LiveOrganization, settling: Settling, connection_id: str | None
    ) -> tuple[Outcome, LiveOrganization]:
        writing = Writing(self.provider, settling, self.secrets, self.patience.repeats)
        self.observer.started(change)
        begun = self.clock()
        try:
            effect = await _carried_out(change, writing, live, connection_id)
        except ProviderError as error:
            for remark in writing.receipt:
                error.add_note(remark)
            raise
        return _applied(change, effect, writing.receipt, self.clock() - begun), effect.live


async def _carried_out(
    change: Change, writing: Writing, live: LiveOrganization, connection_id: str | None
) -> Effect:
    match change:
        case Create():
            return await writing.create(change, live, connection_id)
        case Update():
            return await writing.update(change, live)
        case Delete():
            return await writing.delete(change, live)
        case _:
            assert_never(change)


def _without(kind: type[Change], groups: Iterable[Sequence[Change]]) -> Iterable[Sequence[Change]]:
    return [found for group in groups if (found := [one for one in group if not isinstance(one, kind)])]


def _only(kind: type[Change], groups: Iterable[Sequence[Change]]) -> Iterable[Sequence[Change]]:
    return [found for group in groups if (found := [one for one in group if isinstance(one, kind)])]


def _applied(change: Change, effect: Effect, receipt: Sequence[str], seconds: float) -> Applied:
    return Applied(
        address=change.address,
        action=change.action,
        connection=effect.connection.without_secret(),
        organization_id=change.organization_id,
        warnings=tuple(effect.warnings),
        history=tuple(receipt),
        seconds=seconds,
    )


def _unneeded(change: Change, connection: OidcConnection | None) -> Unneeded:
    return Unneeded(
        address=change.address,
        action=change.action,
        organization_id=change.organization_id,
        connection=connection and connection.without_secret(),
    )


def _skipped(change: Change, reason: str) -> Skipped:
    return Skipped(
        address=change.address,
        action=change.action,
        organization_id=change.organization_id,
        reason=reason,
    )


def _stale(change: Change, reason: str) -> Failed:
    return Failed(
        address=change.address,
        action=change.action,
        organization_id=change.organization_id,
        message=f"changed since the plan: {reason}",
        advice="plan again and look at what is different",
        error_type="stale_plan",
    )


def _failed(change: Change, error: ProviderError) -> Failed:
    return Failed(
        address=change.address,
        action=change.action,
        organization_id=change.organization_id,
        message=error.message,
        error_type=error.error_type,
        request_id=error.request_id,
        status=error.status,
        history=tuple(getattr(error, "__notes__", ())),
    )
