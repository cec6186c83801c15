"""Files → what they declare: all at once, or file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.state import DesiredOrganization, DesiredState
from reconciler.manifests.files import find_manifests
from reconciler.manifests.foresight import look_ahead
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.reading import display_path, read_file
from reconciler.manifests.uniqueness import Uniqueness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.manifests.foresight import Upcoming
    from reconciler.manifests.project import Project


class ManifestFile(NamedTuple):
    """What one file declares. Documents with errors are left out; ``diagnostics`` tells why.

    What belongs to no file comes without a path; ``following`` is how many files come after it, as
    far as it is known, and ``foreseen`` which organizations it and they seem to declare, each told once.
    """

    path: str | None
    shown: str
    organizations: tuple[DesiredOrganization, ...]
    diagnostics: tuple[Diagnostic, ...]
    following: int = 0
    foreseen: tuple[str, ...] = ()


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
        """Whether anything found blocks."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


def load_manifests(
    paths: Sequence[str | Path],
    project: Project,
    variables: Mapping[str, str],
) -> Loaded:
    """Find, read and check all manifests. Whatever the files hold, nothing is raised."""
    return collect_manifests(stream_manifests(paths, project, variables))


def collect_manifests(stream: Iterable[ManifestFile]) -> Loaded:
    """Return what a stream of files declares, as a whole."""
    files = list(stream)
    return Loaded(
        files=tuple(file for file in files if file.path is not None),
        diagnostics=tuple(diagnostic for file in files for diagnostic in file.diagnostics),
    )


def stream_manifests(
    paths: Sequence[str | Path],
    project: Project,
    variables: Mapping[str, str],
) -> Iterator[ManifestFile]:
    """Find, read and check manifests file by file; what belongs to no file comes without a path."""
    found = find_manifests(paths, project)
    searched = _searched(found.names, project)
    is_empty, is_wrong = True, any(one.is_error for one in found.diagnostics)
    yield ManifestFile(None, "", (), found.diagnostics, following=len(found.names))
    for file in read_manifests(_taken_from(found.names), project, variables):
        is_empty = is_empty and not file.organizations
        is_wrong = is_wrong or any(one.is_error for one in file.diagnostics)
        yield file
    if is_empty and not is_wrong:
        yield ManifestFile(None, "", (), (_nothing_declared(searched),))


def read_manifests(
    files: Iterable[str | Path],
    project: Project,
    variables: Mapping[str, str],
) -> Iterator[ManifestFile]:
    """Read and check files one by one, in their order; what clashes is reported where it comes second."""
    reader = OrganizationReader(project, variables)
    uniqueness = Uniqueness()
    for file in look_ahead(map(str, files), project.read_limits):
        yield _read(file, project, reader, uniqueness)


def _read(
    file: Upcoming, project: Project, reader: OrganizationReader, uniqueness: Uniqueness
) -> ManifestFile:
    shown = display_path(file.path, project.directory)
    read = read_file(file.path, shown, project.read_limits, file.fetched)
    organizations: list[DesiredOrganization] = []
    for index, document in read.documents:
        report = read.findings.document(index)
        organization = reader.read(document, read.source, report)
        if organization is not None:
            uniqueness.check(organization, report)
            organizations.append(organization)
    return ManifestFile(
        file.path, shown, tuple(organizations), read.findings.diagnostics, foreseen=file.foreseen
    )


def _taken_from(names: list[str]) -> Iterator[str]:
    """Yield the files in their order, and forget each of them: for a large estate these are megabytes."""
    names.reverse()
    while names:
        yield names.pop()


def _searched(names: Sequence[str], project: Project) -> str:
    return display_path(names[0], project.directory) if len(names) == 1 else f"{len(names)} files"


def _nothing_declared(where: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "no-manifests",
        f"no manifests found: there is no organization in {where}",
        hint="write an organization manifest; an empty desired state is never meant",
    )
