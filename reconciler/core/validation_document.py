"""The result of a validation, and its JSON document in the shape of Terraform's ``validate -json``."""

from dataclasses import dataclass
from typing import Final

from reconciler.core.document_parts import DiagnosticDocument, diagnostic_document
from reconciler.core.errors import Diagnostic

FORMAT_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationResult:
    """All diagnostics, and the numbers of files, organizations and connections that were read."""

    diagnostics: tuple[Diagnostic, ...] = ()
    files: int = 0
    organizations: int = 0
    connections: int = 0

    @property
    def error_count(self) -> int:
        """The number of errors."""
        return sum(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def warning_count(self) -> int:
        """The number of warnings."""
        return len(self.diagnostics) - self.error_count

    @property
    def is_valid(self) -> bool:
        """Whether there is no error."""
        return self.error_count == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationDocument:
    """A whole validation."""

    format_version: str
    valid: bool
    error_count: int
    warning_count: int
    files: int
    organizations: int
    connections: int
    diagnostics: tuple[DiagnosticDocument, ...]


def validation_document(result: ValidationResult) -> ValidationDocument:
    """Return the document of a validation."""
    return ValidationDocument(
        format_version=FORMAT_VERSION,
        valid=result.is_valid,
        error_count=result.error_count,
        warning_count=result.warning_count,
        files=result.files,
        organizations=result.organizations,
        connections=result.connections,
        diagnostics=tuple(diagnostic_document(diagnostic) for diagnostic in result.diagnostics),
    )
