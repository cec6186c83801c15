"""Loads manifests: validates each file, and keeps what has errors apart.

All files of a run have bounds together, and nothing may be declared twice in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, InvalidConfiguration, Severity
from reconciler.core.state import DesiredState
from reconciler.manifests.document import parse_file
from reconciler.manifests.file_selection import FoundManifests, find_manifests
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.partial import read_partially
from reconciler.manifests.source_file import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.core.address import Address
    from reconciler.core.codes import Code
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Node, ReadLimits, Value

_FEWER_NODES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """What one file declares. ``display_path`` is its path as the user would type it.

    ``refused`` are the documents with errors, as far as they could be read. ``is_readable`` is off if the
    file may declare an organization that is not known: then all of its documents are refused.
    """

    path: str
    display_path: str
    organizations: tuple[DesiredOrganization, ...] = ()
    refused: tuple[DesiredOrganization, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    is_readable: bool = True
    is_blank: bool = False

    @property
    def has_errors(self) -> bool:
        """Whether a finding blocks."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Loaded:
    """All manifests of a run. ``diagnostics`` holds those of the files, and those that belong to no file."""

    files: tuple[ManifestFile, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def state(self) -> DesiredState:
        """What the files declare, except for documents with errors."""
        return DesiredState(tuple(organization for file in self.files for organization in file.organizations))

    @property
    def refused(self) -> tuple[DesiredOrganization, ...]:
        """The documents with errors, as far as they could be read."""
        return tuple(organization for file in self.files for organization in file.refused)

    @property
    def broken_files(self) -> tuple[ManifestFile, ...]:
        """The files with errors."""
        return tuple(file for file in self.files if file.has_errors)

    @property
    def unreadable_files(self) -> tuple[ManifestFile, ...]:
        """The files that may declare organizations which are not known."""
        return tuple(file for file in self.files if not file.is_readable)

    @property
    def file_count(self) -> int:
        """The number of files read."""
        return len(self.files)

    @property
    def has_errors(self) -> bool:
        """Whether a finding blocks."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


def load_manifests(paths: Sequence[str | Path], project: Project, variables: Mapping[str, str]) -> Loaded:
    """Find, read and check all manifests; what is wrong with a file is a finding.

    Raises:
        InvalidConfiguration: there are too many files, or they are too large together.
    """
    selected = find_manifests(paths, project)
    reader = FileReader(project, variables)
    files = reader.refuse_conflicts([reader.read(file) for file in selected.names])
    unread = tuple(unread_files(selected, project))
    diagnostics = [*selected.diagnostics, *(diagnostic for file in files for diagnostic in file.diagnostics)]
    if files and all(file.is_blank for file in files) and not unread:
        diagnostics.append(_nothing_declared(selected.names, project))
    return Loaded((*files, *unread), bound_findings(diagnostics, project.read_limits))


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


def unread_files(selected: FoundManifests, project: Project) -> Iterator[ManifestFile]:
    """Yield what stands for the files and folders that are not read."""
    for name, diagnostic in selected.unread.items():
        yield ManifestFile(
            path=name,
            display_path=display_path(name, project.directory),
            diagnostics=(diagnostic,),
            is_readable=False,
        )


def declared_addresses(project: Project) -> Iterator[Address]:
    """Yield the addresses in all manifests that can be parsed, without validating them."""
    for name in find_manifests((), project).names:
        parsed = parse_file(name, name, project.read_limits)
        for document in parsed.documents:
            organization = read_partially(document, parsed.source, project.variables, project.environment)
            for connection in organization.connections if organization else ():
                yield connection.address


def read_manifests(
    files: Iterable[str | Path], project: Project, variables: Mapping[str, str]
) -> Iterator[ManifestFile]:
    """Read and check files in their order; a duplicate is reported where it comes second."""
    reader = FileReader(project, variables)
    return (reader.read(str(file)) for file in files)


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document and what it declares: if not valid, as far as it could be read, or None."""

    value: Value
    organization: DesiredOrganization | None
    is_valid: bool


class FileReader:
    """Reads the files of one run, and remembers what they declare twice."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._project = project
        self._variables = {**project.variables, **variables}
        self._reader = OrganizationReader(project, variables)
        self._duplicates = _Duplicates()
        self._bounds = _Bounds(project.read_limits)

    def read(self, file: str) -> ManifestFile:
        """Read one file."""
        name = display_path(file, self._project.directory)
        parsed, documents = self.parse(file, name)
        return manifest_file(file, parsed, documents)

    def parse(self, file: str | Path, name: str) -> tuple[ParsedFile, tuple[ReadDocument, ...]]:
        """Read a file and its documents, and report what they declare twice.

        Raises:
            InvalidConfiguration: there are too many files, or they are too large together.
        """
        parsed = parse_file(file, name, self._bounds.of_next_file)
        documents = tuple(self._document(document, parsed) for document in parsed.documents)
        self._bounds.count(parsed)
        return parsed, documents

    def refuse_conflicts(self, files: Iterable[ManifestFile]) -> tuple[ManifestFile, ...]:
        """Return all files that were read, with both of two documents refused that declare the same."""
        return tuple(self._refuse_conflicts(file) for file in files)

    def _document(self, document: Node, parsed: ParsedFile) -> ReadDocument:
        findings = parsed.findings.document(document)
        organization = self._reader.read(document, parsed.source, findings)
        is_valid = organization is not None
        if organization is None:
            organization = read_partially(document, parsed.source, self._variables, self._project.environment)
        if organization is not None:
            self._duplicates.check(organization, findings)
        return ReadDocument(document.value, organization, is_valid)

    def _refuse_conflicts(self, file: ManifestFile) -> ManifestFile:
        conflicts = [
            organization
            for organization in file.organizations
            if organization.location in self._duplicates.conflicts
        ]
        if not conflicts:
            return file
        return replace(
            file,
            organizations=tuple(
                organization for organization in file.organizations if organization not in conflicts
            ),
            refused=(*file.refused, *conflicts),
        )


def manifest_file(file: str, parsed: ParsedFile, documents: Sequence[ReadDocument]) -> ManifestFile:
    """Return what a file declares by these of its documents."""
    is_readable = parsed.is_readable and all(document.organization for document in documents)
    known = [document for document in documents if document.organization is not None]
    return ManifestFile(
        path=file,
        display_path=parsed.source.path,
        organizations=_organizations(document for document in known if is_readable and document.is_valid),
        refused=_organizations(document for document in known if not (is_readable and document.is_valid)),
        diagnostics=parsed.findings.diagnostics,
        is_readable=is_readable,
        is_blank=parsed.is_readable and not parsed.source.text.strip(),
    )


def _organizations(documents: Iterable[ReadDocument]) -> tuple[DesiredOrganization, ...]:
    return tuple(document.organization for document in documents if document.organization is not None)


def _nothing_declared(files: Sequence[str], project: Project) -> Diagnostic:
    searched = display_path(files[0], project.directory) if len(files) == 1 else f"{len(files)} files"
    return Diagnostic(
        Severity.ERROR,
        "no-manifests",
        f"no manifests found: {searched} {'is' if len(files) == 1 else 'are'} empty",
        hint="write an organization manifest, or a comment if nothing is to be declared yet",
    )


class _Bounds:
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


def _too_much(code: Code, summary: str) -> InvalidConfiguration:
    hint = "split the project, or pass the paths of some manifests"
    return InvalidConfiguration((Diagnostic(Severity.ERROR, code, summary, hint=hint),))


class _Duplicates:
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
