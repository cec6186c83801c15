"""Checks that compare values: within one organization, and across files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Severity

if TYPE_CHECKING:
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.organization_model import ConnectionManifest, OrganizationManifest
    from reconciler.manifests.yaml_reader import Path

EXPECTED_SCOPES: Final = ("openid", "email", "profile")
"""The server's defaults; sources differ on whether declared scopes replace them or are added."""


def check_connections(manifest: OrganizationManifest, findings: DocumentFindings) -> None:
    """Report what the connections of one organization repeat or contradict."""
    names: dict[str, str] = {}
    for name, connection in manifest.get("connections", {}).items():
        display_name = connection.get("display_name", name)
        first = names.setdefault(display_name, name)
        if first != name:
            _report_duplicate_name(name, first, display_name, findings)
        if "custom_scopes" in connection:
            _check_scopes(connection["custom_scopes"], ("connections", name, "custom_scopes"), findings)
        if "previous_display_names" in connection:
            _check_previous_names(name, connection, findings)


class DuplicateCheck:
    """Remembers the organizations and pinned connections of a run, and where they are declared."""

    def __init__(self) -> None:
        self._organizations: dict[str, SourceLocation] = {}
        self._connections: dict[str, SourceLocation] = {}

    def check(self, organization: DesiredOrganization, findings: DocumentFindings) -> None:
        """Report what an organization declares a second time."""
        self._check_organization(organization, findings)
        for connection in organization.connections:
            connection_id = connection.connection.connection_id
            if connection_id is None:
                continue
            first = self._connections.setdefault(connection_id, connection.location)
            if first is not connection.location:
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
        if organization.organization_id:
            keys.setdefault(organization.organization_id, "organization_id")
        duplicates = [
            (name, key, first)
            for name, key in keys.items()
            if (first := self._organizations.setdefault(name, organization.location))
            is not organization.location
        ]
        for name, key, first in duplicates[:1]:
            findings.add(
                "duplicate-organization",
                (key,),
                f"the organization {name!r} has two documents",
                detail=f"the other one is at {first}",
                hint="put all connections of an organization into one document",
            )


def _report_duplicate_name(name: str, first: str, display_name: str, findings: DocumentFindings) -> None:
    findings.add(
        "duplicate-display-name",
        ("connections", name, "display_name"),
        f"the connections {first!r} and {name!r} have the same display_name {display_name!r}",
        detail=f"the other one is at {findings.location(('connections', first, 'display_name'))}",
        hint="give each connection of an organization its own display_name: connections are matched by it",
    )


def _check_scopes(scopes: list[str], path: Path, findings: DocumentFindings) -> None:
    for index, scope in enumerate(scopes):
        if scope in scopes[:index]:
            findings.add(
                "duplicate-scope",
                (*path, index),
                f"the scope {scope!r} is listed twice",
                hint="remove one of them",
                severity=Severity.WARNING,
            )
    missing = [scope for scope in EXPECTED_SCOPES if scope not in scopes]
    if scopes and missing:
        findings.add(
            "missing-default-scopes",
            path,
            f"custom_scopes does not include {', '.join(missing)}",
            detail="declared scopes may replace the server's defaults openid, email and profile",
            hint=f"add {' '.join(missing)}, unless logins should not request them",
            severity=Severity.WARNING,
        )


def _check_previous_names(name: str, connection: ConnectionManifest, findings: DocumentFindings) -> None:
    display_name = connection.get("display_name", name)
    for index, previous in enumerate(connection["previous_display_names"]):
        if previous == display_name:
            findings.add(
                "previous-name-is-current",
                ("connections", name, "previous_display_names", index),
                f"{previous!r} is the connection's current display_name, not a previous one",
                hint="remove it from previous_display_names, or change display_name",
            )
