"""What the reconciler needs of a service that holds connections: reading, and writing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import ProviderError
    from reconciler.core.state import LiveOrganization, Organization

Recheck: TypeAlias = Callable[[], Awaitable[None]]
"""Reads again before a write that had to wait is sent once more; raises a `ProviderError` if it must
not be, since what it relies on has changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the service answered to a write: the connection as it says it is now, and its warning."""

    connection: OidcConnection
    warning: str = ""


class Reader(Protocol):
    """Reads; it has no verb that could change anything, so a preview cannot write."""

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        """Resolve organization ids, slugs and external ids, in bulk; every reference gets an entry.

        Raises:
            AccessDenied: the credentials are not accepted.
        """
        ...

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        """Read all connections of one organization.

        Raises:
            ProviderError: there was no well-formed answer; never taken for "nothing there".
        """
        ...

    async def refresh_organization(self, organization: Organization) -> Organization:
        """Read the organization itself again (its default connection, its log-in rules)."""
        ...

    async def find_owner(self, connection_id: str) -> Organization | None:
        """Return the organization that has a connection; None if there is none that can be seen.

        Raises:
            ProviderError: there was no well-formed answer.
        """
        ...


class Directory(Reader, Protocol):
    """Reads, and knows which organizations there are."""

    def list_organizations(self) -> AsyncIterator[Organization]:
        """Yield every organization, as they come.

        Raises:
            ProviderError: a page was refused or could not be read; what came before is not everything.
        """
        ...


class Provider(Reader, Protocol):
    """Reads and writes. No method repeats a write that may have had an effect.

    A write that certainly had none (429) may be sent again after a wait; before that ``recheck`` is
    awaited, as the world may have moved on.

    All writes raise `Unavailable` where the call certainly had no effect, `UnknownOutcome` where
    that cannot be known, and another `ProviderError` for a final refusal.
    """

    async def create_connection(
        self,
        organization_id: str,
        display_name: str,
        identity_provider: str,
        *,
        recheck: Recheck | None = None,
    ) -> OidcConnection:
        """Create an empty connection: the service takes nothing but a name and a provider here."""
        ...

    async def update_connection(
        self,
        organization_id: str,
        connection_id: str,
        values: OidcConnection,
        *,
        recheck: Recheck | None = None,
    ) -> Written:
        """Set the fields that are not None in ``values``; leave all others alone."""
        ...

    async def delete_connection(
        self, organization_id: str, connection_id: str, *, recheck: Recheck | None = None
    ) -> None:
        """Delete one OIDC connection.

        Raises:
            ConnectionNotFound: it does not exist (any more).
        """
        ...
