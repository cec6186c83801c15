"""Reads an organization after a write until the write is visible, with growing waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create
from reconciler.core.diff import changed_fields
from reconciler.core.operation import Proceed, Stale, Undecided, judge
from reconciler.core.withdrawal import find_duplicates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.operation import AlreadyDone, Verdict
    from reconciler.core.state import LiveOrganization, Organization
    from reconciler.providers.base import Provider

    Judged = tuple[AlreadyDone | Proceed | Stale, LiveOrganization]
    Sleep = Callable[[float], Awaitable[None]]


_MAX_AWAITED: Final = 4
"""How many unfinished connections, one after the other, a run waits for at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackPolicy:
    """How long to wait for a write to show, in seconds before each reading.

    The service promises no read-after-write consistency, so a list may lag behind a write. A create
    that timed out may even take effect later, so ``long_waits`` follow before it is sent again.
    ``repeats`` bounds how often a write of unknown outcome is sent again once it is known to have
    had no effect. ``rival_waits`` are for another run that is creating the same connection.
    """

    waits: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    long_waits: tuple[float, ...] = (8.0, 16.0, 32.0)
    repeats: int = 2
    rival_waits: tuple[float, ...] = (0.2, 0.3, 0.5, 1.0, 2.0, 4.0)


class ReadBack:
    """Reads one organization until a condition holds, or the policy's waits are used up."""

    def __init__(
        self, provider: Provider, organization: Organization, policy: ReadBackPolicy, sleep: Sleep
    ) -> None:
        self._provider = provider
        self._organization = organization
        self._policy = policy
        self._sleep = sleep

    async def once(self) -> LiveOrganization:
        """Read now."""
        return await self._provider.read_organization(self._organization)

    async def until_converged(
        self, connection_id: str, declared: OidcConnection, secrets: Secrets
    ) -> LiveOrganization:
        """Read until the connection is as declared; return the last reading."""
        async for live in self._readings():
            connection = live.connection(connection_id)
            if connection and not changed_fields(declared, connection, secrets):
                return live
        return live

    async def until_deleted(self, connection_id: str) -> LiveOrganization:
        """Read until the connection is no longer listed; return the last reading."""
        async for live in self._readings():
            if live.connection(connection_id) is None:
                return live
        return live

    async def until_default(self, connection_id: str) -> LiveOrganization:
        """Read until the organization has that default connection; return the last reading."""
        async for live in self._organizations():
            if live.organization.default_connection_id == connection_id:
                return live
        return live

    async def until_created(
        self, change: Create, secrets: Secrets, *, is_pending: bool
    ) -> tuple[LiveOrganization, tuple[OidcConnection, ...]]:
        """Read until a connection of the declared name appears; return all of them, or none.

        ``is_pending``: the create timed out, so the service may still be working on it.
        """
        async for live in self._readings(self._policy.long_waits if is_pending else ()):
            created = find_duplicates(change, live, secrets).all
            if created:
                return live, created
        return live, ()

    async def until_decided(self, change: Change, live: LiveOrganization, secrets: Secrets) -> Judged:
        """Judge a change; while other runs seem to be creating the same connection, read again.

        What is unfinished is completed only if nobody does so meanwhile, and each one is waited for anew:
        who has begun it a moment ago is still there. Of several, runs may withdraw some, which takes longer.
        """
        awaited, number = "", 0
        for _ in range(_MAX_AWAITED * len(self.rival_waits) + 1):
            verdict = judge(change, live, secrets)
            unfinished = _unfinished(change, verdict)
            if unfinished and unfinished != awaited:
                awaited, number = unfinished, 0
            if number == len(self.rival_waits) * (1 if unfinished else 2):
                break
            if not unfinished and not isinstance(verdict, Undecided):
                return verdict, live
            live = await self.after(self.rival_waits[number % len(self.rival_waits)])
            number += 1
        else:
            return Stale("connections of that name come and go again and again"), live
        return (Stale(verdict.reason) if isinstance(verdict, Undecided) else verdict), live

    @property
    def rival_waits(self) -> tuple[float, ...]:
        """Seconds before each reading while another run may withdraw."""
        return self._policy.rival_waits

    async def after(self, seconds: float) -> LiveOrganization:
        """Read after a while."""
        await self._sleep(seconds)
        return await self.once()

    async def with_organization(self, live: LiveOrganization) -> LiveOrganization:
        """Return a reading with the organization itself read again, for its default connection."""
        return replace(live, organization=await self._provider.refresh_organization(live.organization))

    async def _organizations(self) -> AsyncIterator[LiveOrganization]:
        async for live in self._readings():
            yield await self.with_organization(live)

    async def _readings(self, more: Sequence[float] = ()) -> AsyncIterator[LiveOrganization]:
        for wait in (*self._policy.waits, *more):
            await self._sleep(wait)
            yield await self.once()


def _unfinished(change: Change, verdict: Verdict) -> str:
    """Return the id of what a create would complete, or nothing."""
    if isinstance(change, Create) and isinstance(verdict, Proceed):
        return verdict.connection_id or ""
    return ""
