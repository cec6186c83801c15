"""Runs a plan's operations: organizations in parallel, deletes last, and every failure reported."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, assert_never

from reconciler.applier.context import Progress, WriteContext
from reconciler.applier.operations import ConnectionWriter
from reconciler.applier.read_back import ReadBack, ReadBackPolicy
from reconciler.core.address import Address
from reconciler.core.change import DefaultChange, Delete
from reconciler.core.errors import AccessDenied, OrganizationRefused, ProviderError
from reconciler.core.operation import AlreadyDone, Proceed, Stale, to_operations
from reconciler.core.outcome import Applied, ApplyResult, Failed, Skipped, Unneeded
from reconciler.core.state import Organization

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.outcome import Outcome
    from reconciler.core.state import LiveOrganization
    from reconciler.http.clock import Clock
    from reconciler.providers.base import Provider


class Observer(Protocol):
    """Is called when an operation starts and when it has finished."""

    def started(self, change: Change) -> None:
        """The operation starts now."""

    def finished(self, outcome: Outcome) -> None:
        """The operation has this outcome."""


async def apply_changes(
    changes: Sequence[Change],
    provider: Provider,
    secrets: Secrets,
    *,
    observer: Observer,
    stop: asyncio.Event,
    concurrency: int,
    clock: Clock,
    read_back: ReadBackPolicy | None = None,
) -> ApplyResult:
    """Apply all changes and return the outcome of each.

    When ``stop`` is set no new operation starts; running ones finish. A denied access ends the run in
    the same way. Its waits and durations are those of ``clock``.
    """
    run = _Run(
        provider=provider,
        secrets=secrets,
        observer=observer,
        stop=stop,
        clock=clock,
        policy=read_back or ReadBackPolicy(),
    )
    groups = to_operations(changes)
    limit = asyncio.Semaphore(concurrency)
    for is_delete in (False, True):
        await run.apply_groups(_select(groups, is_delete=is_delete), limit)
    order = {change.address: index for index, change in enumerate(changes)}
    outcomes = sorted(run.outcomes, key=lambda outcome: order[outcome.address])
    return ApplyResult(tuple(outcomes), interrupted=stop.is_set())


@dataclass(slots=True, kw_only=True)
class _Run:
    provider: Provider
    secrets: Secrets
    observer: Observer
    stop: asyncio.Event
    clock: Clock
    policy: ReadBackPolicy
    outcomes: list[Outcome] = field(default_factory=list)
    is_denied: bool = False
    failed: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    async def apply_groups(self, groups: Iterable[Sequence[Change]], limit: asyncio.Semaphore) -> None:
        async with asyncio.TaskGroup() as tasks:
            for group in groups:
                tasks.create_task(self._apply_organization(group, limit))

    async def _apply_organization(self, group: Sequence[Change], limit: asyncio.Semaphore) -> None:
        """Apply the changes of one organization in order.

        The last reading of one operation is the first one of the next: nothing lies between the two.
        """
        async with limit:
            live: LiveOrganization | None = None
            for change in group:
                outcome, live = await self._apply_or_skip(change, live)
                if isinstance(outcome, Failed) or (
                    isinstance(outcome, Skipped) and isinstance(change, DefaultChange)
                ):
                    self.failed.add(change.organization_id)
                self.outcomes.append(outcome)
                self.observer.finished(outcome)

    async def _apply_or_skip(
        self, change: Change, live: LiveOrganization | None
    ) -> tuple[Outcome, LiveOrganization | None]:
        reason = self._reason_to_skip(change)
        if reason is not None:
            return _skipped(change, reason), live
        try:
            return await self._apply(change, live)
        except ProviderError as error:
            return self._failed(change, error), None

    def _reason_to_skip(self, change: Change) -> str | None:
        if self.is_denied:
            return "access was denied, so the run stopped"
        if self.stop.is_set():
            return "interrupted"
        if change.organization_id in self.refused:
            return "the service refused its organization"
        if isinstance(change, Delete) and change.organization_id in self.failed:
            return "an earlier change of this organization failed, and deletes come last"
        if isinstance(change, DefaultChange) and self._is_unsettled(change):
            return "the connection that is to become the default could not be created or updated"
        return None

    def _is_unsettled(self, change: DefaultChange) -> bool:
        address = Address(change.address.organization, change.connection)
        return any(
            isinstance(outcome, Failed | Skipped) for outcome in self.outcomes if outcome.address == address
        )

    async def _apply(
        self, change: Change, live: LiveOrganization | None
    ) -> tuple[Outcome, LiveOrganization | None]:
        """Judge fresh state, write if it is still what the plan saw, and read back."""
        organization = Organization(organization_id=change.organization_id)
        if isinstance(change, Delete | DefaultChange):
            organization = await self.provider.refresh_organization(organization)
            live = None
        read_back = ReadBack(self.provider, organization, self.policy, self.clock.sleep)
        live = live or await read_back.once()
        verdict, live = await read_back.until_decided(change, live, self.secrets)
        match verdict:
            case AlreadyDone(connection):
                return _unneeded(change, connection), live
            case Stale(reason):
                return _stale(change, reason), live
            case Proceed(connection_id):
                return await self._write(change, live, read_back, connection_id)
            case _:
                assert_never(verdict)

    async def _write(
        self, change: Change, live: LiveOrganization, read_back: ReadBack, connection_id: str | None
    ) -> tuple[Outcome, LiveOrganization | None]:
        context = WriteContext(
            provider=self.provider, read_back=read_back, secrets=self.secrets, repeats=self.policy.repeats
        )
        writer = ConnectionWriter(context)
        progress = Progress(live)
        self.observer.started(change)
        begin = self.clock.monotonic()
        try:
            connection = await writer.write(change, progress, connection_id)
        except ProviderError as error:
            return self._failed(change, error, progress), None
        if progress.is_superseded:
            return _unneeded(change, connection, progress), progress.live
        return _applied(change, connection, progress, self.clock.monotonic() - begin), progress.live

    def _failed(self, change: Change, error: ProviderError, progress: Progress | None = None) -> Failed:
        self.is_denied |= isinstance(error, AccessDenied)
        if isinstance(error, OrganizationRefused):
            self.refused.add(change.organization_id)
        messages = [error.message]
        if progress and progress.unfinished_id:
            messages.append(f"{progress.unfinished_id} exists, and the next apply completes it")
        return Failed(
            address=change.address,
            action=change.action,
            organization_id=change.organization_id,
            message="; ".join(messages),
            error_type=error.error_type,
            request_id=error.request_id,
            status=error.status,
            history=tuple(progress.history) if progress else (),
        )


def _select(groups: Iterable[Sequence[Change]], *, is_delete: bool) -> Iterable[Sequence[Change]]:
    selected = ([change for change in group if isinstance(change, Delete) is is_delete] for group in groups)
    return [group for group in selected if group]


def _applied(change: Change, connection: OidcConnection, progress: Progress, seconds: float) -> Applied:
    return Applied(
        address=change.address,
        action=change.action,
        connection=connection.without_secret(),
        organization_id=change.organization_id,
        warnings=tuple(progress.warnings),
        history=tuple(progress.history),
        seconds=seconds,
    )


def _unneeded(
    change: Change, connection: OidcConnection | None, progress: Progress | None = None
) -> Unneeded:
    return Unneeded(
        address=change.address,
        action=change.action,
        organization_id=change.organization_id,
        connection=connection and connection.without_secret(),
        history=tuple(progress.history) if progress else (),
    )


def _skipped(change: Change, reason: str) -> Skipped:
    return Skipped(
        address=change.address, action=change.action, organization_id=change.organization_id, reason=reason
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
