"""A validation, and a run that failed before there was a result: as text, and as a `Report`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.errors import count
from reconciler.core.results import ValidationResult
from reconciler.reports.findings import finding_counters, group_findings
from reconciler.reports.report import Origin, Report, Status, errors_first
from reconciler.reports.text_style import PLAIN, render_diagnostics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Scope
    from reconciler.core.results import FailedRun
    from reconciler.reports.text_style import Style


def render_validation(result: ValidationResult, *, style: Style = PLAIN) -> str:
    """Return all diagnostics and the verdict."""
    diagnostics = render_diagnostics(result.diagnostics, style=style)
    verdict = style.verdict(_verdict(result), is_good=result.is_valid)
    counts = ", ".join(count(number, noun) for number, noun in _counts(result))
    return f"{diagnostics}{verdict}\n{counts}\n"


def validation_report(result: ValidationResult) -> Report:
    """Return the report of a validation."""
    return Report(
        title="Validation",
        verdict=_verdict(result),
        status=_status(result),
        diagnostics=errors_first(result.diagnostics),
        findings=group_findings(errors_first(result.diagnostics)),
        counts=_counts(result),
        counters=tuple(finding_counters(group_findings(result.diagnostics), "error", "warning")),
    )


def failure_report(
    diagnostics: Sequence[Diagnostic], scope: Scope | None = None, created_at: str = ""
) -> Report:
    """Return the report of a run that failed before there was a result."""
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    return Report(
        title="Failure",
        verdict=f"Nothing was done: {count(errors, 'error')}.",
        status=Status.BAD,
        is_complete=False,
        diagnostics=errors_first(diagnostics),
        findings=group_findings(errors_first(diagnostics)),
        origin=Origin(scope=scope, commit="", created_at=created_at) if scope else None,
    )


def failed_run_report(failed: FailedRun) -> Report:
    """Return the report of a run that has no plan, for the pull request that it looked at."""
    if failed.is_validation:
        result = ValidationResult(diagnostics=failed.diagnostics)
        report = replace(validation_report(result), counts=())
    else:
        report = failure_report(failed.diagnostics, failed.scope, failed.created_at)
        errors = sum(diagnostic.is_error for diagnostic in failed.diagnostics)
        report = replace(report, title="Plan", verdict=f"There is no plan: {count(errors, 'error')}.")
    return report


def _verdict(result: ValidationResult) -> str:
    """Return the line that says how a validation went."""
    if result.is_valid:
        warned = ", but there were some validation warnings as shown above." if result.warning_count else "."
        return "Success! The configuration is valid" + warned
    errors, warnings = count(result.error_count, "error"), count(result.warning_count, "warning")
    return f"The configuration is not valid: {errors}, {warnings}."


def _counts(result: ValidationResult) -> tuple[tuple[int, str], ...]:
    return (
        (result.files, "file"),
        (result.organizations, "organization"),
        (result.connections, "connection"),
    )


def _status(result: ValidationResult) -> Status:
    if not result.is_valid:
        return Status.BAD
    return Status.WARNED if result.diagnostics else Status.GOOD
