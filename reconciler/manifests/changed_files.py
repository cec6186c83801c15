"""Reads the manifests that differ from a Git revision, and keeps the organizations whose documents differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity
from reconciler.manifests.document import parse_content
from reconciler.manifests.load import FileReader, Loaded, ManifestFile, bound_findings, manifest_file
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.source_file import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests.load import ReadDocument
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Value


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
    read = reader.refuse_conflicts([reader.read_changed(file) for file in files])
    diagnostics = tuple(diagnostic for file in read for diagnostic in file.diagnostics)
    return Loaded(read, bound_findings((*diagnostics, *reader.undeclared()), project.read_limits))


class _ChangedFileReader(FileReader):
    """Remembers which organizations the files declared before, and which they declare now."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        super().__init__(project, variables)
        self._limits, self._directory = project.read_limits, project.directory
        self._past_reader = OrganizationReader(project, variables)
        self._declared: set[str] = set()
        self._before: list[DesiredOrganization] = []
        self._has_errors = False

    def read_changed(self, file: ChangedFile) -> ManifestFile:
        """Read one file, as it is and as it was."""
        name = display_path(file.path, self._directory)
        values_before = self._read_before(file.before, name)
        if not file.path.is_symlink() and not file.path.exists():
            return ManifestFile(path=str(file.path), display_path=name)
        parsed, documents = self.parse(file.path, name)
        for document in documents:
            self._declared |= document.organization.names if document.organization else set()
        self._has_errors |= parsed.findings.has_errors
        return manifest_file(str(file.path), parsed, _changed(documents, values_before))

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
        parsed = parse_content(content, name, self._limits)
        for document in parsed.documents:
            findings = parsed.findings.document(document)
            organization = self._past_reader.read(document, parsed.source, findings)
            if organization is not None:
                self._before.append(organization)
        return [document.value for document in parsed.documents]


def _changed(documents: Sequence[ReadDocument], before: Sequence[Value]) -> Sequence[ReadDocument]:
    """Return the documents that differ; if only comments do, all: better one too many than one too few."""
    changed = [document for document in documents if document.value not in before]
    return changed if any(document.is_valid for document in changed) else documents


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
