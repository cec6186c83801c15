"""Builds the reports of a validation, and of a run that failed before there was a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.ordering import errors_first
from reconciler.reports.report import Report, Status
from reconciler.reports.text_style import count
from reconciler.reports.wording import validation_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.validation_document import ValidationResult


def validation_report(result: ValidationResult) -> Report:
    """Return the report of a validation."""
    return Report(
        title="Validation",
        verdict=validation_verdict(result),
        status=_status(result),
        diagnostics=errors_first(result.diagnostics),
        counts=(
            (result.files, "file"),
            (result.organizations, "organization"),
            (result.connections, "connection"),
        ),
    )


def failure_report(diagnostics: Sequence[Diagnostic]) -> Report:
    """Return the report of a run that failed before there was a result."""
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    return Report(
        title="Failure",
        verdict=f"Nothing was done: {count(errors, 'error')}.",
        status=Status.BAD,
        is_complete=False,
        diagnostics=errors_first(diagnostics),
    )


def _status(result: ValidationResult) -> Status:
    if not result.is_valid:
        return Status.BAD
    return Status.WARNED if result.diagnostics else Status.GOOD
