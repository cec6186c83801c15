"""A provider that loses answers on demand, before or after the call has had its effect."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.core.errors import ProviderError, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import LiveOrganization, Organization
    from reconciler.providers.base import Provider, Written


@dataclass
class Fault:
    """The ``nth`` call of ``method`` (from 1) fails with ``error``, after its effect or before it."""

    method: str
    nth: int = 1
    after_effect: bool = False
    error: ProviderError = field(default_factory=lambda: UnknownOutcome("the answer was lost"))
    meanwhile: Callable[[], None] = lambda: None


@dataclass
class FaultyProvider:
    """Passes everything on, except where a fault says otherwise, and counts the calls."""

    inner: Provider
    faults: Sequence[Fault] = ()
    calls: Counter[str] = field(default_factory=Counter)

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        return await self.inner.find_organizations(references)

    async def refresh_organization(self, organization: Organization) -> Organization:
        return await self.inner.refresh_organization(organization)

    async def find_owner(self, connection_id: str) -> Organization | None:
        return await self.inner.find_owner(connection_id)

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        found: LiveOrganization = await self._call("read", self.inner.read_organization, organization)
        return found

    async def create_connection(
        self, organization_id: str, display_name: str, identity_provider: str, **kept: Any
    ) -> OidcConnection:
        created: OidcConnection = await self._call(
            "create", self.inner.create_connection, organization_id, display_name, identity_provider, **kept
        )
        return created

    async def update_connection(
        self, organization_id: str, connection_id: str, values: OidcConnection, **kept: Any
    ) -> Written:
        written: Written = await self._call(
            "update", self.inner.update_connection, organization_id, connection_id, values, **kept
        )
        return written

    async def set_default_connection(
        self, organization_id: str, connection_id: str, **kept: Any
    ) -> Organization:
        organization: Organization = await self._call(
            "default", self.inner.set_default_connection, organization_id, connection_id, **kept
        )
        return organization

    async def delete_connection(self, organization_id: str, connection_id: str, **kept: Any) -> None:
        await self._call("delete", self.inner.delete_connection, organization_id, connection_id, **kept)

    async def _call(
        self, method: str, call: Callable[..., Awaitable[Any]], *arguments: Any, **kept: Any
    ) -> Any:
        self.calls[method] += 1
        fault = next(
            (one for one in self.faults if (one.method, one.nth) == (method, self.calls[method])), None
        )
        if fault is None:
            return await call(*arguments, **kept)
        if fault.after_effect:
            await call(*arguments, **kept)
        fault.meanwhile()
        raise fault.error
