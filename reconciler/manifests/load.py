"""Loads all or the changed manifests: validates each file, and checks for duplicates across files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.state import DesiredState
from reconciler.manifests.document import parse_content, parse_file
from reconciler.manifests.file_selection import find_manifests
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.run_bounds import RunBounds, bound_findings
from reconciler.manifests.source_file import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.findings import DocumentFindings
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """What one file declares, without the documents that have errors.

    ``display_path`` is its path as the user would type it.
    """

    path: str
    display_path: str
    organizations: tuple[DesiredOrganization, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


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
    files = tuple(read_manifests(selected.names, project, variables))
    diagnostics = [*selected.diagnostics, *(diagnostic for file in files for diagnostic in file.diagnostics)]
    loaded = Loaded(files, bound_findings(diagnostics, project.read_limits))
    if not loaded.has_errors and not loaded.state.organizations:
        return Loaded(files, (*loaded.diagnostics, _nothing_declared(selected.names, project)))
    return loaded


def read_manifests(
    files: Iterable[str | Path], project: Project, variables: Mapping[str, str]
) -> Iterator[ManifestFile]:
    """Read and check files in their order; a duplicate is reported where it comes second."""
    reader = OrganizationReader(project, variables)
    duplicates = DuplicateCheck()
    bounds = RunBounds(project.read_limits)
    for file in files:
        yield _read(str(file), project, reader, duplicates, bounds)


def _read(
    file: str, project: Project, reader: OrganizationReader, duplicates: DuplicateCheck, bounds: RunBounds
) -> ManifestFile:
    name = display_path(file, project.directory)
    parsed = parse_file(file, name, bounds.of_next_file)
    organizations: list[DesiredOrganization] = []
    for document in parsed.documents:
        findings = parsed.findings.document(document)
        organization = reader.read(document, parsed.source, findings)
        if organization is not None:
            duplicates.check(organization, findings)
            organizations.append(organization)
    bounds.count(parsed)
    return ManifestFile(
        path=file,
        display_path=name,
        organizations=tuple(organizations),
        diagnostics=parsed.findings.diagnostics,
    )


def _nothing_declared(files: Sequence[str], project: Project) -> Diagnostic:
    searched = display_path(files[0], project.directory) if len(files) == 1 else f"{len(files)} files"
    return Diagnostic(
        Severity.ERROR,
        "no-manifests",
        f"no manifests found: no organization is declared in {searched}",
        hint="write an organization manifest; an empty desired state is always an error",
    )


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


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A manifest that differs. ``before`` is its earlier content, None if it did not exist."""

    path: Path
    before: bytes | None = None


def load_changed(files: Iterable[ChangedFile], project: Project, variables: Mapping[str, str]) -> Loaded:
    """Read changed files, keeping the organizations whose documents differ.

    Organizations that are no longer declared in any of them are reported as warnings. Clashes with
    unchanged files are not detected.
    """
    reader = _ChangedFileReader(project, variables)
    read = tuple(reader.read(file) for file in files)
    diagnostics = tuple(diagnostic for file in read for diagnostic in file.diagnostics)
    return Loaded(read, bound_findings((*diagnostics, *reader.undeclared()), project.read_limits))


class _ChangedFileReader:
    """Remembers which organizations the files declared before, and which they declare now."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._project = project
        self._reader = OrganizationReader(project, variables)
        self._duplicates = DuplicateCheck()
        self._bounds = RunBounds(project.read_limits)
        self._declared: set[str] = set()
        self._before: list[DesiredOrganization] = []
        self._has_errors = False

    def read(self, file: ChangedFile) -> ManifestFile:
        """Read one file, as it is and as it was."""
        name = display_path(file.path, self._project.directory)
        values_before = self._read_before(file.before, name)
        if not file.path.is_symlink() and not file.path.exists():
            return ManifestFile(path=str(file.path), display_path=name)
        parsed = parse_file(file.path, name, self._bounds.of_next_file)
        organizations = self._organizations(parsed)
        self._bounds.count(parsed)
        changed = [organization for organization, value in organizations if value not in values_before]
        if not changed:  # only comments changed: better to read one organization too many than one too few
            changed = [organization for organization, _ in organizations]
        self._has_errors |= parsed.findings.has_errors
        return ManifestFile(
            path=str(file.path),
            display_path=name,
            organizations=tuple(changed),
            diagnostics=parsed.findings.diagnostics,
        )

    def undeclared(self) -> list[Diagnostic]:
        """Return a warning for each organization that is no longer declared; none if files have errors."""
        if self._has_errors:
            return []
        return [
            _no_longer_declared(organization)
            for organization in self._before
            if self._declared.isdisjoint(organization.names)
        ]

    def _read_before(self, content: bytes | None, name: str) -> list[Value]:
        """Return the documents that the file held; their errors do not matter any more."""
        if content is None:
            return []
        parsed = parse_content(content, name, self._project.read_limits)
        for document in parsed.documents:
            organization = self._reader.read(document, parsed.source, parsed.findings.document(document))
            if organization is not None:
                self._before.append(organization)
        return [document.value for document in parsed.documents]

    def _organizations(self, parsed: ParsedFile) -> list[tuple[DesiredOrganization, Value]]:
        organizations = []
        for document in parsed.documents:
            findings = parsed.findings.document(document)
            organization = self._reader.read(document, parsed.source, findings)
            if organization is not None:
                self._duplicates.check(organization, findings)
                self._declared |= organization.names
                organizations.append((organization, document.value))
        return organizations


def _no_longer_declared(organization: DesiredOrganization) -> Diagnostic:
    connections = organization.connections
    addresses = [str(connection.address) for connection in connections]
    protected = [
        str(connection.address) for connection in connections if connection.lifecycle.prevent_destroy
    ]
    protection = f"; {', '.join(protected)} had `prevent_destroy: true`" if protected else ""
    return Diagnostic(
        Severity.WARNING,
        "organization-not-declared",
        f"organization {organization.reference!r} is no longer declared: its connections become unmanaged",
        detail=f"not compared, changed or deleted any more: {', '.join(addresses) or 'none'}{protection}",
        hint="to delete connections, keep the document and mark them with `state: absent`",
        address=organization.reference,
        location=organization.location,
    )
