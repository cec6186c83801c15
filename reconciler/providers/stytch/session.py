"""The session door: a logged-in member's session, and that member's own organization only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.core.errors import RequestRejected
from reconciler.providers.stytch.call import read, segment
from reconciler.providers.stytch.connections import Connections
from reconciler.providers.stytch.organization import read_organization

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from reconciler.core.errors import ProviderError
    from reconciler.core.state import Organization
    from reconciler.providers.stytch.client import Client


class SessionPaths:
    """Where the session API has the connections: never under an organization's id."""

    def connections(self, organization_id: str) -> str:  # noqa: ARG002  implied by the session
        """Return the path of the list."""
        return "/sdk/v1/b2b/sso"

    def create(self, organization_id: str) -> str:  # noqa: ARG002  implied by the session
        """Return the path for creating an OIDC connection."""
        return "/sdk/v1/b2b/sso/oidc"

    def update(self, organization_id: str, connection_id: str) -> str:  # noqa: ARG002  implied by the session
        """Return the path for updating an OIDC connection."""
        return f"/sdk/v1/b2b/sso/oidc/{segment(connection_id)}"

    def delete(self, organization_id: str, connection_id: str) -> str:  # noqa: ARG002  implied by the session
        """Return the path for deleting any connection."""
        return f"/sdk/v1/b2b/sso/{segment(connection_id)}"


class Session(Connections):
    """A `reconciler.providers.base.Provider` over the session API."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, SessionPaths())
        self._own: Organization | None = None
        self._reading = asyncio.Lock()

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        """Resolve references: only those that mean the session's own organization lead anywhere."""
        own = await self._own_organization()
        return {one: own if one in own.names else _elsewhere(one, own) for one in references}

    async def refresh_organization(self, organization: Organization) -> Organization:
        """Read the session's organization again, as `reconciler.providers.base.Reader` says."""
        self._own = None
        await self._admit(organization.organization_id)
        return await self._own_organization()

    async def find_owner(self, connection_id: str) -> Organization | None:  # noqa: ARG002  no search here
        """Return None: through this door other organizations cannot be seen."""
        return None

    async def list_organizations(self) -> AsyncGenerator[Organization, None]:
        """Yield the one organization there is through this door."""
        yield await self._own_organization()

    async def _admit(self, organization_id: str) -> None:
        own = await self._own_organization()
        if organization_id != own.organization_id:
            raise _elsewhere(organization_id, own)

    async def _own_organization(self) -> Organization:
        async with self._reading:  # those who come meanwhile need not ask again
            if self._own is None:
                call = read("/sdk/v1/b2b/organizations/me", "organization of the session")
                self._own = read_organization(await self._client.send(call), str(call))
            return self._own


def _elsewhere(reference: str, own: Organization) -> ProviderError:
    return RequestRejected(
        f"organization {reference!r} is not the session's own, which is {own.slug!r}"
        f" ({own.organization_id}); nothing was sent. log in there, or use project credentials"
    )
