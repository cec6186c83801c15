"""The manifests that differ from an earlier revision → the organizations in which something differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity
from reconciler.manifests.load import Loaded, ManifestFile, collect_manifests
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.reading import display_path, read_file, read_text
from reconciler.manifests.uniqueness import Uniqueness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.events import Value
    from reconciler.manifests.project import Project
    from reconciler.manifests.reading import ReadFile


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A manifest that is not what it was. ``before`` is what it held, None if it was not there."""

    path: Path
    before: bytes | None = None


def load_changed(files: Iterable[ChangedFile], project: Project, variables: Mapping[str, str]) -> Loaded:
    """Read changed files, keeping the organizations whose documents differ.

    Organizations that are no longer declared in any of them are reported as warnings. Clashes with
    unchanged files are not detected.
    """
    return collect_manifests(read_changed(files, project, variables))


def read_changed(
    files: Iterable[ChangedFile],
    project: Project,
    variables: Mapping[str, str],
) -> Iterator[ManifestFile]:
    """Read changed files one by one, keeping the organizations whose documents differ.

    What is declared in none of them any more is reported last, in a file without a path. Clashes
    with files that did not change are not seen.
    """
    reading = _Reading(project, variables)
    for file in files:
        yield reading.read(file)
    yield ManifestFile(None, "", (), tuple(reading.vanished()))


class _Reading:
    """What has been read so far: which organizations were declared, and which are."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._project = project
        self._reader = OrganizationReader(project, variables)
        self._uniqueness = Uniqueness()
        self._declared: set[str] = set()
        self._former: list[DesiredOrganization] = []
        self._has_errors = False

    def read(self, file: ChangedFile) -> ManifestFile:
        """Read one file, as it is and as it was."""
        shown = display_path(file.path, self._project.directory)
        values = self._read_former(file.before, shown)
        if not file.path.is_symlink() and not file.path.exists():
            return ManifestFile(str(file.path), shown, (), ())
        read = read_file(file.path, shown, self._project.read_limits)
        organizations = self._organizations(read)
        changed = tuple(one for one, value in organizations if value not in values)
        diagnostics = read.findings.diagnostics
        self._has_errors |= any(found.is_error for found in diagnostics)
        if not changed:  # nothing but comments: better one organization too many than one too few
            changed = tuple(one for one, _ in organizations)
        return ManifestFile(str(file.path), shown, changed, diagnostics)

    def vanished(self) -> Iterator[Diagnostic]:
        """Yield a warning for each organization that is declared no more.

        With errors about it cannot be told which those are.
        """
        if self._has_errors:
            return
        for one in self._former:
            if self._declared.isdisjoint(one.names):
                yield _vanished(one)

    def _read_former(self, before: bytes | None, shown: str) -> list[Value]:
        """Return the documents that the file held; what was wrong with them then is of no interest."""
        if before is None:
            return []
        read = read_text(before, shown, self._project.read_limits)
        for index, document in read.documents:
            organization = self._reader.read(document, read.source, read.findings.document(index))
            if organization is not None:
                self._former.append(organization)
        return [document.value for _, document in read.documents]

    def _organizations(self, read: ReadFile) -> list[tuple[DesiredOrganization, Value]]:
        found = []
        for index, document in read.documents:
            report = read.findings.document(index)
            organization = self._reader.read(document, read.source, report)
            if organization is not None:
                self._uniqueness.check(organization, report)
                self._declared |= organization.names
                found.append((organization, document.value))
        return found


def _vanished(organization: DesiredOrganization) -> Diagnostic:
    addresses = [str(one.address) for one in organization.connections]
    kept = [str(one.address) for one in organization.connections if one.lifecycle.prevent_destroy]
    protection = f"; `prevent_destroy: true` stood at {', '.join(kept)}" if kept else ""
    return Diagnostic(
        Severity.WARNING,
        "organization-not-declared",
        f"organization {organization.reference!r} is declared no more: its connections become unmanaged",
        detail=f"nothing of it is compared, changed or deleted any more: {', '.join(addresses) or 'none'}"
        f"{protection}",
        hint="to delete connections, keep the document and mark them with `state: absent`",
        address=organization.reference,
        location=organization.location,
    )
