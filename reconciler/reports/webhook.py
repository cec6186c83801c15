"""Summarizes a plan, an apply or a nightly report in a short JSON document, which `publish webhook` sends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler import __version__
from reconciler.core.apply_document import apply_summary
from reconciler.core.document_parts import JsonObject, copy_fields, to_json_data
from reconciler.core.drift import DriftReport, Finding, FindingStatus
from reconciler.core.drift_document import DriftSummaryDocument
from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.outcome import ApplyResult, Failed, Operation, Skipped, Unneeded
from reconciler.core.plan import Plan, Scope
from reconciler.core.results import FailedRun
from reconciler.core.verification import ProviderFinding, Verification
from reconciler.http.urls import parse_url
from reconciler.reports.escaping import clip
from reconciler.reports.findings import group_findings
from reconciler.reports.webhook_document import (
    OutcomeStatus,
    WebhookApplyDocument,
    WebhookChangeDocument,
    WebhookDiagnosticDocument,
    WebhookDocument,
    WebhookDriftDocument,
    WebhookFindingDocument,
    WebhookLinksDocument,
    WebhookOutcomeDocument,
    WebhookPlanCountsDocument,
    WebhookPlanDocument,
    WebhookProviderFindingDocument,
    WebhookVerifyCountsDocument,
    WebhookVerifyDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WEBHOOK_VERSION: Final = "1.0"

MAX_BYTES: Final = 20_000
"""The size that the Standard Webhooks specification recommends: 20 kB."""

_LIST_LENGTHS: Final = (20, 10, 5, 0)
"""The numbers of entries of each list to try until the document is small enough."""

_MAX_TEXT: Final = 300
"""Characters of one text from outside."""

_ORDER: Final[tuple[OutcomeStatus, ...]] = ("failed", "skipped", "applied", "unneeded")

Result: TypeAlias = Plan | FailedRun | ApplyResult | DriftReport | Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a webhook comes from: the environment's name, if it was given one, and links for people."""

    name: str = ""
    run_url: str = ""
    pull_request_url: str = ""


def webhook_body(result: Result, origin: Origin) -> bytes:
    """Return the document of a result as JSON in ASCII, with lists that are cut to keep it small."""
    body = b""
    for length in _LIST_LENGTHS:
        document = _document(result, origin, length)
        body = json.dumps(to_json_data(document), ensure_ascii=True, separators=(",", ":")).encode()
        if len(body) <= MAX_BYTES:
            break
    return body


def _document(result: Result, origin: Origin, length: int) -> WebhookDocument:
    match result:
        case DriftReport():
            drift = _drift(result, origin, length)
            return WebhookDocument(type="reconciler.drift", timestamp=result.created_at, data=drift)
        case Verification():
            verify = _verify(result, origin, length)
            return WebhookDocument(type="reconciler.verify", timestamp=result.created_at, data=verify)
        case Plan():
            plan = _plan(result, origin, length)
            return WebhookDocument(type="reconciler.plan", timestamp=result.created_at, data=plan)
        case FailedRun():
            failed = _failed(result, origin, length)
            return WebhookDocument(type="reconciler.plan", timestamp=result.created_at, data=failed)
        case _:
            apply = _apply(result, origin, length)
            return WebhookDocument(type="reconciler.apply", timestamp=result.ended_at, data=apply)


def _drift(report: DriftReport, origin: Origin, length: int) -> WebhookDriftDocument:
    new = [finding for finding in report.findings if finding.status is FindingStatus.NEW]
    known = [finding for finding in report.findings if finding.status is not FindingStatus.NEW]
    return WebhookDriftDocument(
        **_common(origin, report.scope, commit=report.commit),
        text=_drift_text(report, origin),
        complete=report.is_complete,
        errored=report.has_errors,
        omitted=_omitted(length, new, known, report.resolved),
        drifted=report.has_drift,
        counts=copy_fields(DriftSummaryDocument, report.summary),
        new=_findings(new[:length]),
        known=_findings(known[:length]),
        resolved=_findings(report.resolved[:length]),
    )


def _verify(result: Verification, origin: Origin, length: int) -> WebhookVerifyDocument:
    findings = [finding for finding in result.findings if finding.needs_action]
    new = [finding for finding in findings if finding.status is FindingStatus.NEW]
    known = [finding for finding in findings if finding.status is not FindingStatus.NEW]
    resolved = [finding for finding in result.resolved if finding.needs_action]
    counts = WebhookVerifyCountsDocument(
        errors=sum(finding.is_error for finding in findings),
        warnings=sum(not finding.is_error for finding in findings),
        failing=len({finding.address for finding in findings if finding.is_error}),
        expiring=len(result.expiries),
        new=len(new),
        known=len(known),
        resolved=len(resolved),
    )
    return WebhookVerifyDocument(
        **_common(origin, result.scope, commit=result.commit),
        text=_verify_text(result, origin, counts),
        complete=result.is_complete,
        errored=result.has_errors,
        omitted=_omitted(length, new, known, resolved),
        counts=counts,
        new=_provider_findings(new[:length]),
        known=_provider_findings(known[:length]),
        resolved=_provider_findings(resolved[:length]),
    )


def _plan(plan: Plan, origin: Origin, length: int) -> WebhookPlanDocument:
    problems = [diagnostic for diagnostic in plan.diagnostics if diagnostic.is_error]
    decisive = sorted((*plan.blocks, *plan.risks, *problems), key=lambda finding: not finding.is_error)
    errors = _causes(finding for finding in decisive if finding.is_error)
    warnings = _warnings((*plan.blocks, *plan.risks, *plan.diagnostics))
    decisive += plan.guards or ()
    return WebhookPlanDocument(
        **_common(origin, plan.scope, commit=plan.commit),
        text=_plan_text(plan, origin, errors),
        complete=plan.is_complete,
        errored=plan.has_errors,
        omitted=_omitted(length, decisive, plan.changes),
        blocked=bool(plan.refusals),
        counts=copy_fields(
            WebhookPlanCountsDocument,
            plan.summary,
            risks=_causes(plan.risks),
            errors=errors,
            warnings=warnings,
        ),
        findings=_diagnostics(decisive[:length]),
        changes=tuple(
            WebhookChangeDocument(address=clip(str(change.address), _MAX_TEXT), action=change.action)
            for change in plan.changes[:length]
        ),
    )


def _failed(run: FailedRun, origin: Origin, length: int) -> WebhookPlanDocument:
    errors = [diagnostic for diagnostic in run.diagnostics if diagnostic.is_error]
    none = dict.fromkeys(("add", "change", "destroy", "refused", "risks"), 0)
    return WebhookPlanDocument(
        **_common(origin, run.scope),
        text=f"No plan for {_place(origin, run.scope)}: errors: {len(errors)}.",
        complete=False,
        errored=bool(errors),
        omitted=_omitted(length, errors),
        blocked=bool(errors),
        counts=WebhookPlanCountsDocument(**none, errors=len(errors), warnings=_warnings(run.diagnostics)),
        findings=_diagnostics(errors[:length]),
        changes=(),
    )


def _apply(result: ApplyResult, origin: Origin, length: int) -> WebhookApplyDocument:
    errors = [diagnostic for diagnostic in result.diagnostics if diagnostic.is_error]
    outcomes = sorted(map(_outcome, result.outcomes), key=lambda outcome: _ORDER.index(outcome.status))
    return WebhookApplyDocument(
        **_common(origin, result.scope, commit=result.commit),
        text=_apply_text(result, origin),
        complete=result.is_complete and not result.interrupted,
        errored=bool(result.failed or errors),
        omitted=_omitted(length, errors, outcomes),
        interrupted=result.interrupted,
        counts=apply_summary(result),
        findings=_diagnostics(errors[:length]),
        outcomes=tuple(outcomes[:length]),
    )


def _common(origin: Origin, scope: Scope | None, *, commit: str = "") -> JsonObject:
    """Return the fields that every event has, except for those that are computed from its result."""
    return {
        "format_version": WEBHOOK_VERSION,
        "reconciler_version": __version__,
        "name": origin.name,
        "environment": scope.environment if scope else None,
        "project": scope.principal if scope else None,
        "host": parse_url(scope.base_url).hostname if scope else None,
        "commit": commit,
        "links": WebhookLinksDocument(
            run=origin.run_url or None, pull_request=origin.pull_request_url or None
        ),
    }


def _drift_text(report: DriftReport, origin: Origin) -> str:
    counts, place = report.summary, _place(origin, report.scope)
    numbers = f"{counts.new} new, {counts.known} known, {counts.resolved} resolved"
    end = "" if report.is_complete else " The report is incomplete."
    unknown = "" if report.has_drift or report.is_complete else " is not known"
    drift = "No drift" if not report.has_drift and report.is_complete else "Drift"
    return f"{drift} in {place}{unknown}: {numbers}.{end}"


def _verify_text(result: Verification, origin: Origin, counts: WebhookVerifyCountsDocument) -> str:
    numbers = f"{counts.errors} errors, {counts.warnings} warnings, {counts.new} new"
    end = "" if result.is_complete else " The report is incomplete."
    return f"Logins in {_place(origin, result.scope)}: {numbers}, {counts.resolved} resolved.{end}"


def _plan_text(plan: Plan, origin: Origin, errors: int) -> str:
    counts, place = plan.summary, _place(origin, plan.scope)
    numbers = f"{counts.add} to add, {counts.change} to change, {counts.destroy} to destroy"
    risks = f" Risks: {_causes(plan.risks)}." if plan.risks else ""
    blocked = " Blocked." if plan.refusals else ""
    return f"Plan for {place}: {numbers}.{blocked}{risks}{f' Errors: {errors}.' if errors else ''}"


def _apply_text(result: ApplyResult, origin: Origin) -> str:
    numbers = f"{result.added} added, {result.changed} changed, {result.destroyed} destroyed"
    problems = f", {len(result.failed)} failed, {len(result.skipped)} skipped"
    end = " The run was interrupted." if result.interrupted else ""
    has_problems = result.failed or result.skipped
    return f"Apply in {_place(origin, result.scope)}: {numbers}{problems if has_problems else ''}.{end}"


def _place(origin: Origin, scope: Scope | None) -> str:
    environment = scope.environment.value if scope else "an unknown environment"
    return f"{origin.name} ({environment})" if origin.name else environment


def _findings(findings: Iterable[Finding]) -> tuple[WebhookFindingDocument, ...]:
    return tuple(
        copy_fields(
            WebhookFindingDocument,
            finding,
            address=clip(str(finding.address), _MAX_TEXT),
            attribute=finding.attribute or None,
            rule=finding.rule or None,
        )
        for finding in findings
    )


def _provider_findings(findings: Iterable[ProviderFinding]) -> tuple[WebhookProviderFindingDocument, ...]:
    return tuple(
        copy_fields(
            WebhookProviderFindingDocument,
            finding,
            address=clip(finding.address, _MAX_TEXT),
            summary=clip(finding.summary, _MAX_TEXT),
        )
        for finding in findings
    )


def _diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[WebhookDiagnosticDocument, ...]:
    return tuple(
        copy_fields(
            WebhookDiagnosticDocument,
            diagnostic,
            address=clip(diagnostic.address, _MAX_TEXT),
            summary=clip(diagnostic.summary, _MAX_TEXT),
        )
        for diagnostic in diagnostics
    )


def _outcome(outcome: Operation) -> WebhookOutcomeDocument:
    status, message = _status(outcome)
    return WebhookOutcomeDocument(
        address=clip(str(outcome.address), _MAX_TEXT),
        action=outcome.action,
        status=status,
        message=clip(message, _MAX_TEXT),
    )


def _status(outcome: Operation) -> tuple[OutcomeStatus, str]:
    match outcome:
        case Failed():
            return "failed", outcome.message
        case Skipped():
            return "skipped", outcome.reason
        case Unneeded():
            return "unneeded", ""
        case _:
            return "applied", ""


def _causes(findings: Iterable[Diagnostic]) -> int:
    """Return the number of findings; what follows from another one is not counted, as in other reports."""
    return sum(len(group.entries) for group in group_findings(findings))


def _warnings(diagnostics: Iterable[Diagnostic]) -> int:
    return sum(diagnostic.severity is Severity.WARNING for diagnostic in diagnostics)


def _omitted(length: int, *lists: Sequence[object]) -> int:
    return sum(max(len(entries) - length, 0) for entries in lists)
