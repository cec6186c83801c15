"""Loads manifests: validates each file, finds duplicates across files, and keeps what has errors apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.state import DesiredState
from reconciler.manifests.document import parse_file
from reconciler.manifests.file_selection import FoundManifests, find_manifests
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.partial import read_partially
from reconciler.manifests.run_bounds import DuplicateCheck, RunBounds, bound_findings
from reconciler.manifests.source_file import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.core.address import Address
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Node, Value


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
        self._duplicates = DuplicateCheck()
        self._bounds = RunBounds(project.read_limits)

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
