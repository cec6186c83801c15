"""The result of an import, and its JSON document."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.core.document_parts import DiagnosticDocument, diagnostic_document
from reconciler.core.errors import Diagnostic

FORMAT_VERSION: Final = "1.0"


class FileStatus(StrEnum):
    """What an import did with an organization's manifest."""

    CREATED = "created"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One organization. ``connections`` counts those declared in the file.

    ``remarks`` says what is live and not declared there; ``suggestion`` is what could be added to a
    file that was kept, as the lines below its ``connections:``.
    """

    organization: str
    organization_id: str
    path: str
    status: FileStatus
    connections: int = 0
    remarks: tuple[str, ...] = ()
    suggestion: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """All organizations, in the order of their names. ``diagnostics`` names those that failed.

    ``variables`` are the names that were added to ``variables_file``, without values.
    """

    files: tuple[ImportedFile, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    variables: tuple[str, ...] = ()
    variables_file: str = ""

    @property
    def created(self) -> tuple[ImportedFile, ...]:
        """The organizations that have a new file."""
        return tuple(file for file in self.files if file.status is FileStatus.CREATED)

    @property
    def kept(self) -> tuple[ImportedFile, ...]:
        """The organizations that had a manifest already."""
        return tuple(file for file in self.files if file.status is FileStatus.KEPT)

    @property
    def failures(self) -> int:
        """The number of organizations that could not be imported."""
        return sum(diagnostic.is_error for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummaryDocument:
    """The counts of an import: organizations, and the connections in new files."""

    imported: int
    kept: int
    failed: int
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFileDocument:
    """One organization; ``suggestion`` is YAML that could be added to a manifest that was kept."""

    organization: str
    organization_id: str
    filename: str
    status: FileStatus
    connections: int
    remarks: tuple[str, ...]
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDocument:
    """A whole import."""

    format_version: str
    complete: bool
    errored: bool
    summary: ImportSummaryDocument
    organizations: tuple[ImportedFileDocument, ...]
    variables: tuple[str, ...]
    variables_file: str
    diagnostics: tuple[DiagnosticDocument, ...]


def import_document(result: ImportResult) -> ImportDocument:
    """Return the document of an import."""
    return ImportDocument(
        format_version=FORMAT_VERSION,
        complete=not result.failures,
        errored=bool(result.failures),
        summary=ImportSummaryDocument(
            imported=len(result.created),
            kept=len(result.kept),
            failed=result.failures,
            connections=sum(file.connections for file in result.created),
        ),
        organizations=tuple(_file_document(file) for file in result.files),
        variables=result.variables,
        variables_file=result.variables_file,
        diagnostics=tuple(diagnostic_document(diagnostic) for diagnostic in result.diagnostics),
    )


def _file_document(file: ImportedFile) -> ImportedFileDocument:
    return ImportedFileDocument(
        organization=file.organization,
        organization_id=file.organization_id,
        filename=file.path,
        status=file.status,
        connections=file.connections,
        remarks=file.remarks,
        suggestion="".join(f"{line}\n" for line in file.suggestion),
    )
