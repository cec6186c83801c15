"""What must hold for all files of one run together: bounds, and that nothing is declared twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.codes import Code
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.yaml_reader import ReadLimits


_FEWER_NODES: Final = 10


class RunBounds:
    """Counts the files of a run as they are read."""

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._files = 0
        self._bytes = 0
        self._findings = 0

    @property
    def of_next_file(self) -> ReadLimits:
        """The limits of the next file: every file may have a finding, so that none passes for right.

        When no more findings are shown, a file has to be `_FEWER_NODES` times smaller: so much is wrong with
        this run that it is not worth the time to read what was made large in order to take it.
        """
        left = self._limits.max_all_findings - self._findings
        if left <= 0:
            return replace(self._limits, max_findings=1, max_nodes=self._limits.max_nodes // _FEWER_NODES)
        return replace(self._limits, max_findings=min(self._limits.max_findings, left))

    def count(self, file: ParsedFile) -> None:
        """Add a file that was read and checked.

        Raises:
            InvalidConfiguration: together, the files of this run exceed a limit.
        """
        self._files += 1
        self._bytes += file.source.size
        self._findings += len(file.findings.diagnostics)
        if self._files > self._limits.max_files:
            raise _too_much("too-many-files", f"there are more than {self._limits.max_files:,} manifests")
        if self._bytes > self._limits.max_total_bytes:
            raise _too_much(
                "manifests-too-large",
                f"the manifests have more than {self._limits.max_total_bytes:,} bytes in all",
            )


def bound_findings(findings: Iterable[Diagnostic], limits: ReadLimits) -> tuple[Diagnostic, ...]:
    """Return as many findings as are shown of all files; the last says that there are more."""
    diagnostics = tuple(findings)
    left_out = diagnostics[limits.max_all_findings :]
    if not left_out:
        return diagnostics
    severity = Severity.ERROR if any(finding.is_error for finding in left_out) else Severity.WARNING
    summary = f"there are more than {limits.max_all_findings:,} findings in all; the others are not shown"
    last = Diagnostic(severity, "too-many-findings", summary, hint="fix these first")
    return (*diagnostics[: limits.max_all_findings], last)


def _too_much(code: Code, summary: str) -> InvalidConfiguration:
    hint = "split the project, or pass the paths of some manifests"
    return InvalidConfiguration((Diagnostic(Severity.ERROR, code, summary, hint=hint),))


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
