"""Readers that answer from memory, and remember what they were asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.core.errors import OrganizationNotFound, ProviderError, SourceLocation
from reconciler.core.planner import Choices
from reconciler.core.run_selection import Limits
from reconciler.core.state import DesiredOrganization, LiveOrganization, Organization
from reconciler.workflow.plan import PlanMetadata, plan_organizations
from tests.support.values import SCOPE, WHEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.plan import Plan
    from reconciler.core.state import DesiredConnection


class Silent:
    def advanced(self, done: int) -> None:
        """Show nothing."""


class MemoryReader:
    """A reader of the given organizations, which are found by any of their names."""

    def __init__(self, *organizations: LiveOrganization) -> None:
        self.organizations = organizations
        self.searched: list[list[str]] = []
        self.read: list[str] = []
        self.owners_asked: list[str] = []

    async def find_organizations(
        self, references: Sequence[str]
    ) -> Mapping[str, Organization | ProviderError]:
        self.searched.append(list(references))
        return {reference: self._find(reference) for reference in references}

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        self.read.append(organization.organization_id)
        return next(live for live in self.organizations if live.organization == organization)

    async def refresh_organization(self, organization: Organization) -> Organization:
        return organization

    async def find_owner(self, connection_id: str) -> Organization | None:
        self.owners_asked.append(connection_id)
        owners = (live.organization for live in self.organizations if live.connection(connection_id))
        return next(owners, None)

    def _find(self, reference: str) -> Organization | ProviderError:
        for live in self.organizations:
            if reference in live.organization.names:
                return live.organization
        return OrganizationNotFound(f"no organization {reference!r}")


def live_organization(number: int, slug: str = "") -> LiveOrganization:
    return LiveOrganization(
        organization=Organization(
            organization_id=f"organization-test-{number}",
            slug=slug or f"slug-{number}",
            external_id=f"external-{number}",
        )
    )


def manifest(
    reference: str, *connections: DesiredConnection, organization_id: str | None = None
) -> DesiredOrganization:
    return DesiredOrganization(
        reference=reference,
        location=SourceLocation(f"{reference}.yaml"),
        organization_id=organization_id,
        connections=connections,
    )


def plan_of(reader: MemoryReader, *manifests: DesiredOrganization) -> Plan:
    return asyncio.run(
        plan_organizations(
            manifests,
            reader,
            choices=Choices(secrets={}),
            limits=Limits(),
            metadata=PlanMetadata(scope=SCOPE, created_at=WHEN),
            progress=Silent(),
        )
    )


def messages(plan: Plan) -> dict[str, str]:
    """The findings by address."""
    return {diagnostic.address: diagnostic.summary for diagnostic in plan.diagnostics}
