"""The JSON document that `publish webhook` sends: a short summary of a plan, an apply or a drift report."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from reconciler import __version__
from reconciler.core.apply_document import ApplySummaryDocument, apply_summary
from reconciler.core.change import Action
from reconciler.core.document_parts import (
    ANY_ADDRESS,
    COMMIT,
    COUNT,
    VERSION_1,
    JsonObject,
    copy_fields,
    described,
    flag,
    to_json_data,
)
from reconciler.core.drift import DriftKind, DriftReport, Finding, FindingStatus
from reconciler.core.drift_document import DriftSummaryDocument
from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.outcome import ApplyResult, Failed, Operation, Skipped, Unneeded
from reconciler.core.plan import Environment, Plan, Scope
from reconciler.core.results import FailedRun
from reconciler.http.urls import parse_url

WEBHOOK_VERSION: Final = "1.0"

MAX_BYTES: Final = 20_000
"""The size that the Standard Webhooks specification recommends: 20 kB."""

_LIST_LENGTHS: Final = (20, 10, 5, 0)
"""The numbers of entries of each list to try until the document is small enough."""

_MAX_TEXT: Final = 300
"""Characters of one text from outside."""

OutcomeStatus: TypeAlias = Literal["failed", "skipped", "applied", "unneeded"]

_ORDER: Final[tuple[OutcomeStatus, ...]] = ("failed", "skipped", "applied", "unneeded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a webhook comes from: the environment's name, if it was given one, and links for people."""

    name: str = ""
    run_url: str = ""
    pull_request_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLinksDocument:
    """Links for people."""

    run: str | None = field(metadata=described("URL of the CI run; null if it is not known"))
    pull_request: str | None = field(
        metadata=described("URL of the pull or merge request; null if there is none")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFindingDocument:
    """One finding of a drift report, without values."""

    fingerprint: str = field(metadata=described("the same in every report"))
    address: str = field(metadata=ANY_ADDRESS)
    kind: DriftKind = field(metadata=described("what differs"))
    attribute: str | None = field(
        metadata=described("the attribute; null unless the kind is changed or foreign-endpoint")
    )
    rule: str | None = field(
        metadata=described("the code to approve; null unless the kind is risk or foreign-endpoint")
    )
    first_seen: str = field(
        metadata=described("when a report first had the finding with this live value, RFC 3339 in UTC")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDiagnosticDocument:
    """An error, a warning or a risk."""

    severity: Severity = field(metadata=described("error or warning"))
    code: str = field(metadata=described("`reconciler explain CODE` explains it"))
    address: str = field(metadata=described("what it is about; may be empty"))
    summary: str = field(metadata=described("what is wrong, in one line"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChangeDocument:
    """One change of a plan."""

    address: str = field(metadata=ANY_ADDRESS)
    action: Action = field(metadata=described("what would be done"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOutcomeDocument:
    """One operation of an apply."""

    address: str = field(metadata=ANY_ADDRESS)
    action: Action = field(metadata=described("what was to be done"))
    status: OutcomeStatus = field(metadata=described("the outcome"))
    message: str = field(metadata=described("why it failed or was skipped; otherwise empty"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPlanCountsDocument:
    """The counts of a plan."""

    add: int = field(metadata=COUNT | described("connections to add"))
    change: int = field(metadata=COUNT | described("connections to change"))
    destroy: int = field(metadata=COUNT | described("connections to destroy"))
    refused: int = field(metadata=COUNT | described("organizations that could not be planned"))
    risks: int = field(metadata=COUNT | described("findings of the risk rules"))
    errors: int = field(metadata=COUNT | described("errors, those that block the plan included"))
    warnings: int = field(metadata=COUNT | described("warnings, those of the risk rules included"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEventDocument:
    """What every event says."""

    format_version: str = field(metadata=VERSION_1)
    reconciler_version: str = field(metadata=described("version of the reconciler that sent it"))
    name: str = field(metadata=described("the value of `--name`; may be empty"))
    environment: Environment | None = field(
        metadata=described("null only if the run failed before it knew its target")
    )
    project: str | None = field(metadata=described("the project_id; null as `environment`"))
    host: str | None = field(metadata=described("host of the API; null as `environment`"))
    commit: str = field(metadata=COMMIT)
    text: str = field(metadata=described("the event in one sentence, with numbers only"))
    complete: bool = field(metadata=flag("everything could be planned, applied or compared"))
    errored: bool = field(metadata=flag("there is an error"))
    omitted: int = field(metadata=COUNT | described("entries that are left out of all lists, for the size"))
    links: WebhookLinksDocument = field(metadata=described("links for people"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDriftDocument(WebhookEventDocument):
    """The data of `reconciler.drift`."""

    drifted: bool = field(metadata=flag("there are findings"))
    counts: DriftSummaryDocument = field(metadata=described("number of findings by kind and standing"))
    new: tuple[WebhookFindingDocument, ...] = field(
        metadata=described("findings that the previous report did not have")
    )
    known: tuple[WebhookFindingDocument, ...] = field(
        metadata=described("findings that the previous report had")
    )
    resolved: tuple[WebhookFindingDocument, ...] = field(
        metadata=described("findings of the previous report that are gone")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPlanDocument(WebhookEventDocument):
    """The data of `reconciler.plan`."""

    blocked: bool = field(metadata=flag("`apply` refuses the plan as it is"))
    counts: WebhookPlanCountsDocument = field(metadata=described("number of changes and findings"))
    findings: tuple[WebhookDiagnosticDocument, ...] = field(
        metadata=described("errors and risks, the most severe first, then guards that the change lowers")
    )
    changes: tuple[WebhookChangeDocument, ...] = field(metadata=described("one entry for each change"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookApplyDocument(WebhookEventDocument):
    """The data of `reconciler.apply`."""

    interrupted: bool = field(metadata=flag("the run was interrupted"))
    counts: ApplySummaryDocument = field(metadata=described("number of operations by their outcome"))
    findings: tuple[WebhookDiagnosticDocument, ...] = field(metadata=described("errors"))
    outcomes: tuple[WebhookOutcomeDocument, ...] = field(
        metadata=described("one entry for each operation: first failed, then skipped, then the others")
    )


Result: TypeAlias = Plan | FailedRun | ApplyResult | DriftReport
EventData: TypeAlias = WebhookDriftDocument | WebhookPlanDocument | WebhookApplyDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDocument:
    """One event, in the shape that the Standard Webhooks specification recommends."""

    type: Literal["reconciler.drift", "reconciler.plan", "reconciler.apply"] = field(
        metadata=described("what happened")
    )
    timestamp: str = field(metadata=described("when it happened, RFC 3339 in UTC"))
    data: EventData = field(metadata=described("the summary; which of these, the type says"))


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


def _plan(plan: Plan, origin: Origin, length: int) -> WebhookPlanDocument:
    problems = [diagnostic for diagnostic in plan.diagnostics if diagnostic.is_error]
    decisive = sorted((*plan.blocks, *plan.risks, *problems), key=lambda finding: not finding.is_error)
    errors = sum(finding.is_error for finding in decisive)
    warnings = len(decisive) - errors + len(plan.diagnostics) - len(problems)
    decisive += plan.guards or ()
    return WebhookPlanDocument(
        **_common(origin, plan.scope, commit=plan.commit),
        text=_plan_text(plan, origin, errors),
        complete=plan.is_complete,
        errored=plan.has_errors,
        omitted=_omitted(length, decisive, plan.changes),
        blocked=bool(plan.refusals),
        counts=copy_fields(
            WebhookPlanCountsDocument, plan.summary, risks=len(plan.risks), errors=errors, warnings=warnings
        ),
        findings=_diagnostics(decisive[:length]),
        changes=tuple(
            WebhookChangeDocument(address=_cut(str(change.address)), action=change.action)
            for change in plan.changes[:length]
        ),
    )


def _failed(run: FailedRun, origin: Origin, length: int) -> WebhookPlanDocument:
    errors = [diagnostic for diagnostic in run.diagnostics if diagnostic.is_error]
    none = dict.fromkeys(("add", "change", "destroy", "refused", "risks"), 0)
    warnings = len(run.diagnostics) - len(errors)
    return WebhookPlanDocument(
        **_common(origin, run.scope),
        text=f"No plan for {_place(origin, run.scope)}: errors: {len(errors)}.",
        complete=False,
        errored=bool(errors),
        omitted=_omitted(length, errors),
        blocked=bool(errors),
        counts=WebhookPlanCountsDocument(**none, errors=len(errors), warnings=warnings),
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


def _plan_text(plan: Plan, origin: Origin, errors: int) -> str:
    counts, place = plan.summary, _place(origin, plan.scope)
    numbers = f"{counts.add} to add, {counts.change} to change, {counts.destroy} to destroy"
    risks = f" Risks: {len(plan.risks)}." if plan.risks else ""
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
            address=_cut(str(finding.address)),
            attribute=finding.attribute or None,
            rule=finding.rule or None,
        )
        for finding in findings
    )


def _diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[WebhookDiagnosticDocument, ...]:
    return tuple(
        copy_fields(
            WebhookDiagnosticDocument,
            diagnostic,
            address=_cut(diagnostic.address),
            summary=_cut(diagnostic.summary),
        )
        for diagnostic in diagnostics
    )


def _outcome(outcome: Operation) -> WebhookOutcomeDocument:
    status, message = _status(outcome)
    return WebhookOutcomeDocument(
        address=_cut(str(outcome.address)), action=outcome.action, status=status, message=_cut(message)
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


def _omitted(length: int, *lists: Sequence[object]) -> int:
    return sum(max(len(entries) - length, 0) for entries in lists)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
