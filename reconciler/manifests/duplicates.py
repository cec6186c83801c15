"""Finds what is declared twice across all files of a run: organizations and pinned connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.manifests.findings import DocumentFindings


class DuplicateCheck:
    """Remembers the organizations and pinned connections of a run, and where they are declared.

    ``conflicts`` are the documents that declare something twice, both the first and the second one.
    """

    def __init__(self) -> None:
        self.conflicts: set[SourceLocation] = set()
        self._organizations: dict[str, SourceLocation] = {}
        self._connections: dict[str, tuple[SourceLocation, SourceLocation]] = {}

    def check(self, organization: DesiredOrganization, findings: DocumentFindings) -> None:
        """Report what an organization declares a second time."""
        self._check_organization(organization, findings)
        for connection in organization.connections:
            for connection_id in (connection.connection.connection_id, *connection.other_ids):
                if connection_id is not None:
                    self._check_connection(connection_id, connection, organization, findings)

    def _check_connection(
        self,
        connection_id: str,
        connection: DesiredConnection,
        organization: DesiredOrganization,
        findings: DocumentFindings,
    ) -> None:
        first, document = self._connections.setdefault(
            connection_id, (connection.location, organization.location)
        )
        if first is not connection.location:
            self.conflicts |= {document, organization.location}
            findings.add(
                "duplicate-connection-id",
                ("connections", connection.address.connection, "connection_id"),
                f"{connection_id} is pinned twice",
                detail=f"the other one is at {first}",
                hint="declare a connection once; correct or remove one of the pins",
            )

    def _check_organization(self, organization: DesiredOrganization, findings: DocumentFindings) -> None:
        """Compare references and pins alike: an organization_id may be in either."""
        keys = {organization.reference: "organization"}
        for organization_id in (organization.organization_id, *organization.other_ids):
            if organization_id:
                keys.setdefault(organization_id, "organization_id")
        duplicates = [
            (name, key, first)
            for name, key in keys.items()
            if (first := self._organizations.setdefault(name, organization.location))
            is not organization.location
        ]
        self.conflicts |= {first for _name, _key, first in duplicates}
        for name, key, first in duplicates[:1]:
            self.conflicts.add(organization.location)
            findings.add(
                "duplicate-organization",
                (key,),
                f"the organization {name!r} has two documents",
                detail=f"the other one is at {first}",
                hint="put all connections of an organization into one document",
            )
