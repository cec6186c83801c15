"""Loads manifests: finds the files, reads and checks each of them, and compares them with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.state import DesiredState
from reconciler.manifests.cross_checks import DuplicateCheck
from reconciler.manifests.document import parse_file
from reconciler.manifests.file_selection import find_manifests
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.source_file import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.project import Project


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
    """Find, read and check all manifests. Never raises for what the files hold."""
    found = find_manifests(paths, project)
    files = tuple(read_manifests(found.names, project, variables))
    diagnostics = [*found.diagnostics, *(diagnostic for file in files for diagnostic in file.diagnostics)]
    loaded = Loaded(files, tuple(diagnostics))
    if not loaded.has_errors and not loaded.state.organizations:
        return Loaded(files, (*diagnostics, _nothing_declared(found.names, project)))
    return loaded


def read_manifests(
    files: Iterable[str | Path], project: Project, variables: Mapping[str, str]
) -> Iterator[ManifestFile]:
    """Read and check files in their order; a duplicate is reported where it comes second."""
    reader = OrganizationReader(project, variables)
    duplicates = DuplicateCheck()
    for file in files:
        yield _read(str(file), project, reader, duplicates)


def _read(
    file: str, project: Project, reader: OrganizationReader, duplicates: DuplicateCheck
) -> ManifestFile:
    name = display_path(file, project.directory)
    parsed = parse_file(file, name, project.read_limits)
    organizations: list[DesiredOrganization] = []
    for document in parsed.documents:
        findings = parsed.findings.document(document)
        organization = reader.read(document, parsed.source, findings)
        if organization is not None:
            duplicates.check(organization, findings)
            organizations.append(organization)
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
