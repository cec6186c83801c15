"""Finding out what is really there after a write: reading again, with growing waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.diff import changed_fields
from reconciler.core.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import LiveOrganization, Organization
    from reconciler.providers.base import Provider

    Secrets = Mapping[SecretReference, Secret]
    Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReadBackPolicy:
    """How long to wait for the truth, in seconds before each reading.

    The service promises no read-after-write consistency, so a list may lag behind a write. A create
    without an answer in time may even take effect after that, so before it is sent again there are
    ``long_waits`` too. ``repeats`` bounds how often a write of unknown outcome is sent again once it
    was seen to have had no effect.
    """

    waits: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)
    long_waits: tuple[float, ...] = (8.0, 16.0, 32.0)
    repeats: int = 2


class Unsettled(ProviderError):
    """What is live cannot be brought to what is declared, and nothing more should be tried."""


class Settling:
    """Reads one organization again and again until a question about it has an answer."""

    def __init__(
        self, provider: Provider, organization: Organization, patience: ReadBackPolicy, sleep: Sleep
    ) -> None:
        self._provider = provider
        self._organization = organization
        self._patience = patience
        self._sleep = sleep

    async def until_it_holds(
        self, connection_id: str, declared: OidcConnection, secrets: Secrets
    ) -> LiveOrganization:
        """Read until the connection is as declared, or patience ends; return the last reading."""
        async for live in self._readings():
            found = live.connection(connection_id)
            if found and not changed_fields(declared, found, secrets):
                return live
        return live

    async def once(self) -> LiveOrganization:
        """Read now."""
        return await self._provider.read_organization(self._organization)

    async def until_gone(self, connection_id: str) -> LiveOrganization:
        """Read until the connection is not listed any more, or patience ends."""
        async for live in self._readings():
            if live.connection(connection_id) is None:
                return live
        return live

    async def new_connections(
        self, display_name: str, known: Collection[str], *, is_under_way: bool
    ) -> tuple[LiveOrganization, tuple[OidcConnection, ...]]:
        """Read until a connection of that name appears that is not among the known ids.

        ``is_under_way`` tells that the create may be carried out still.
        """
        async for live in self._readings(self._patience.long_waits if is_under_way else ()):
            found = twins(live, display_name, known)
            if found:
                return live, found
        return live, ()

    async def _readings(self, more: Sequence[float] = ()) -> AsyncIterator[LiveOrganization]:
        for wait in (*self._patience.waits, *more):
            await self._sleep(wait)
            yield await self.once()


def twins(live: LiveOrganization, display_name: str, known: Collection[str]) -> tuple[OidcConnection, ...]:
    """Return the connections of that name that are not among the known ids."""
    return tuple(
        one for one in live.connections if one.display_name == display_name and one.connection_id not in known
    )
