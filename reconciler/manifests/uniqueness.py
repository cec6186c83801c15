"""What may be said only once in a whole run, across all files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.findings import DocumentFindings


class Uniqueness:
    """Remembers which organizations and which pinned connections have been seen, and where."""

    def __init__(self) -> None:
        self._organizations: dict[str, SourceLocation] = {}
        self._connections: dict[str, SourceLocation] = {}

    def check(self, organization: DesiredOrganization, report: DocumentFindings) -> None:
        """Report what an organization repeats; the first of two is the one that counts."""
        self._check_organization(organization, report)
        for one in organization.connections:
            connection_id = one.connection.connection_id
            if connection_id is None:
                continue
            first = self._connections.setdefault(connection_id, one.location)
            if first is not one.location:
                report.add(
                    "duplicate-connection-id",
                    ("connections", one.address.connection, "connection_id"),
                    f"{connection_id} is pinned twice",
                    detail=f"the other one is at {first}",
                    hint="a connection can be declared once; correct or remove one of the pins",
                )

    def _check_organization(self, organization: DesiredOrganization, report: DocumentFindings) -> None:
        """Compare references and pins alike: an organization_id may stand in either place."""
        names = {organization.reference: "organization"}
        if organization.organization_id:
            names.setdefault(organization.organization_id, "organization_id")
        clashes = [
            (name, key, first)
            for name, key in names.items()
            if (first := self._organizations.setdefault(name, organization.location))
            is not organization.location
        ]
        for name, key, first in clashes[:1]:
            report.add(
                "duplicate-organization",
                (key,),
                f"the organization {name!r} has two documents",
                detail=f"the other one is at {first}",
                hint="put all connections of an organization into one document",
            )
