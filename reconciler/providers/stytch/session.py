"""The frontend API, which reaches a member's own organization with the member's session."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from reconciler import __version__
from reconciler.core.errors import RequestRejected
from reconciler.providers.stytch.call import read
from reconciler.providers.stytch.connections import Connections, Paths
from reconciler.providers.stytch.resources import read_organization

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from uuid import UUID

    from reconciler.core.errors import ProviderError
    from reconciler.core.state import ActiveOrganization, Organization
    from reconciler.providers.stytch.client import Client

_PATHS: Final = Paths(
    connections="/sdk/v1/b2b/sso",
    create="/sdk/v1/b2b/sso/oidc",
    update="/sdk/v1/b2b/sso/oidc/{connection}",
    delete="/sdk/v1/b2b/sso/{connection}",
    organization="/sdk/v1/b2b/organizations/me",
)
"""Without an organization, which the session implies."""


class Session(Connections):
    """A `reconciler.providers.base.Provider` over the frontend API."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, _PATHS)
        self._own: Organization | None = None
        self._reading = asyncio.Lock()

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        """Resolve references: only those of the session's own organization are found."""
        own = await self._own_organization()
        return {
            reference: own if reference in own.names else _not_own(reference, own) for reference in references
        }

    async def refresh_organization(self, organization: Organization) -> Organization:
        """Read the session's organization again, as `reconciler.providers.base.Reader` says."""
        self._own = None
        await self._check_organization(organization.organization_id)
        return await self._own_organization()

    async def find_owner(self, connection_id: str) -> Organization | None:  # noqa: ARG002  no search here
        """Return None: other organizations cannot be seen with a session."""
        return None

    async def list_organizations(self) -> AsyncGenerator[Organization, None]:
        """Yield the session's own organization."""
        yield await self._own_organization()

    async def list_active_organizations(self) -> AsyncGenerator[ActiveOrganization, None]:
        """Yield nothing: other organizations cannot be seen with a session."""
        nothing: tuple[ActiveOrganization, ...] = ()
        for organization in nothing:
            yield organization

    async def _check_organization(self, organization_id: str) -> None:
        own = await self._own_organization()
        if organization_id != own.organization_id:
            raise _not_own(organization_id, own)

    async def _own_organization(self) -> Organization:
        async with self._reading:  # concurrent callers share one request
            if self._own is None:
                request = read("/sdk/v1/b2b/organizations/me", "organization of the session")
                self._own = read_organization(await self._client.send(request), str(request))
            return self._own


def _not_own(reference: str, own: Organization) -> ProviderError:
    return RequestRejected(
        f"the session belongs to organization {own.slug!r} ({own.organization_id}), not to {reference!r};"
        f" nothing was sent; log in to {reference!r}, or use project credentials"
    )


@dataclass(frozen=True, slots=True)
class SdkHeaders:
    """Makes the ``X-SDK-Client`` header for each call.

    The official SDKs send it always; whether the server demands it is not documented.
    ``wall`` is the present in seconds since the epoch.
    """

    wall: Callable[[], float]
    session_id: str
    persistent_id: str
    new_id: Callable[[], UUID] = uuid4

    def __call__(self) -> dict[str, str]:
        """Return the header for one call."""
        return {"X-SDK-Client": b64encode(json.dumps(self._description()).encode()).decode()}

    def _description(self) -> dict[str, object]:
        return {
            "event_id": f"event-id-{self.new_id()}",
            "app_session_id": f"app-session-id-{self.session_id}",
            "persistent_id": f"persistent-id-{self.persistent_id}",
            "client_sent_at": datetime.fromtimestamp(self.wall(), UTC).isoformat(timespec="milliseconds"),
            "timezone": "UTC",
            "app": {"identifier": "reconciler", "version": __version__},
            "sdk": {"identifier": "reconciler", "version": __version__},
        }


def sdk_headers(wall: Callable[[], float], new_id: Callable[[], UUID] = uuid4) -> SdkHeaders:
    """Return the headers of one run."""
    return SdkHeaders(wall, session_id=str(new_id()), persistent_id=str(new_id()), new_id=new_id)
