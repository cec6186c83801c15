"""Reads an organization after a write until the write is visible, with growing waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.diff import changed_fields

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.state import LiveOrganization, Organization
    from reconciler.providers.base import Provider

    Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackPolicy:
    """How long to wait for a write to show, in seconds before each reading.

    The service promises no read-after-write consistency, so a list may lag behind a write. A create
    that timed out may even take effect later, so ``long_waits`` follow before it is sent again.
    ``repeats`` bounds how often a write of unknown outcome is sent again once it is known to have
    had no effect.
    """

    waits: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    long_waits: tuple[float, ...] = (8.0, 16.0, 32.0)
    repeats: int = 2


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

    async def until_created(
        self, display_name: str, known: Collection[str], *, is_pending: bool
    ) -> tuple[LiveOrganization, tuple[OidcConnection, ...]]:
        """Read until a connection of that name appears whose id is not known; return it, or none.

        ``is_pending``: the create timed out, so the service may still be working on it.
        """
        async for live in self._readings(self._policy.long_waits if is_pending else ()):
            created = same_name(live, display_name, known)
            if created:
                return live, created
        return live, ()

    async def _readings(self, more: Sequence[float] = ()) -> AsyncIterator[LiveOrganization]:
        for wait in (*self._policy.waits, *more):
            await self._sleep(wait)
            yield await self.once()


def same_name(
    live: LiveOrganization, display_name: str, known: Collection[str]
) -> tuple[OidcConnection, ...]:
    """Return the connections of that name whose ids are not among the known ones."""
    return tuple(
        connection
        for connection in live.connections
        if connection.display_name == display_name and connection.connection_id not in known
    )
