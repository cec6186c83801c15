"""The protocols of a provider: reading organizations and connections, writing connections, logging in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import ProviderError
    from reconciler.core.state import ActiveOrganization, LiveOrganization, Organization


@dataclass(slots=True)
class Recheck:
    """The reading that a write rests on, and how to read again before the write is sent late.

    ``read_at`` is when the reading was requested, in seconds of the provider's clock. ``read_again``
    returns the same of a new reading, and raises if the write no longer applies. The provider sets
    ``sent_at`` to when it sent the write.
    """

    read_at: float
    read_again: Callable[[], Awaitable[float]]
    sent_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Written:
    """The response to an update: the connection as the service returned it, and its warning."""

    connection: OidcConnection
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLogin:
    """The response to a finished login.

    ``claims`` are the names of the provider's claims, by connection. ``connection_ids`` are those of the
    session; a member who still needs a second factor has no session.
    """

    organization_id: str
    email_address: str
    claims: Mapping[str, tuple[str, ...]]
    connection_ids: tuple[str, ...] = ()
    session_token: str = field(default="", repr=False)


class Reader(Protocol):
    """Reads only: it has no methods that write, so a plan cannot change anything."""

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        """Resolve organization ids, slugs and external ids, in bulk; every reference gets an entry.

        Raises:
            AccessDenied: the credentials are not accepted.
        """

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        """Read all connections of one organization.

        Raises:
            ProviderError: there was no well-formed answer; never taken for "nothing there".
        """

    async def refresh_organization(self, organization: Organization) -> Organization:
        """Read the organization itself again (its default connection, its log-in rules)."""

    async def find_owner(self, connection_id: str) -> Organization | None:
        """Return the organization that has a connection; None if no visible organization has it.

        Raises:
            ProviderError: there was no well-formed answer.
        """


class Directory(Reader, Protocol):
    """Reads, and lists all organizations."""

    def list_organizations(self) -> AsyncIterator[Organization]:
        """Yield every organization, as they come.

        Raises:
            ProviderError: a page was refused or could not be read; the list is incomplete.
        """

    def list_active_organizations(self) -> AsyncIterator[ActiveOrganization]:
        """Yield every organization that has an active SSO connection, with its active OIDC connections.

        Raises:
            ProviderError: a page was refused or could not be read; the list is incomplete.
        """


class Provider(Reader, Protocol):
    """Reads and writes. No method repeats a write that may have had an effect.

    A write that certainly had none (429) may be sent again after a wait. ``recheck`` reads again before
    that, and before a write that would be sent more than a second after the reading it rests on was
    requested, since the live state may have changed in the meantime.

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
        """Create an empty connection; the API accepts only a name and an identity provider here."""

    async def update_connection(
        self,
        organization_id: str,
        connection_id: str,
        values: OidcConnection,
        *,
        recheck: Recheck | None = None,
    ) -> Written:
        """Set the fields of ``values`` that are not None, and no others."""

    async def set_default_connection(
        self, organization_id: str, connection_id: str, *, recheck: Recheck | None = None
    ) -> Organization:
        """Make a connection the organization's default; nothing else is sent. Return the organization."""

    async def delete_connection(
        self, organization_id: str, connection_id: str, *, recheck: Recheck | None = None
    ) -> None:
        """Delete one OIDC connection.

        Raises:
            ConnectionNotFound: it does not exist (any more).
        """


class LoginProvider(Reader, Protocol):
    """Reads, and exchanges the token of a login for a session."""

    async def authenticate_login(self, token: str, verifier: str) -> MemberLogin:
        """Exchange the token that the browser brought, once; the session lasts five minutes.

        Raises:
            ProviderError: the token is not accepted, or the outcome is not known.
        """

    async def revoke_session(self, session_token: str) -> None:
        """End a session.

        Raises:
            ProviderError: it was not ended, or the outcome is not known.
        """
