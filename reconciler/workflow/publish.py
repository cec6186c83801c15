"""Publishes a plan, the result of an apply, or nightly reports: comments, labels, issue and job summary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, ReportRefused, Severity, count
from reconciler.core.plan import Plan
from reconciler.core.results import FailedRun
from reconciler.publishers.github import append_summary, room_in_summary
from reconciler.publishers.issue import IssuePart, PartKind, PartState, publish_issue
from reconciler.publishers.sticky import (
    StickyComment,
    check_name,
    default_identity,
    fold_outdated,
    marker,
    publish_comment,
    publish_labels,
    risk_labels,
)
from reconciler.reports.apply_report import apply_report
from reconciler.reports.drift_report import drift_report
from reconciler.reports.escaping import markdown_code, short_time
from reconciler.reports.markdown import render_markdown, render_news
from reconciler.reports.next_steps import failed_steps, merge_steps, merged_steps, not_applied_steps
from reconciler.reports.plan_report import plan_report
from reconciler.reports.validation import failed_run_report
from reconciler.reports.verify_report import verify_issue_report, verify_report
from reconciler.reports.webhook import webhook_body
from reconciler.storage.documents import (
    load_apply_result,
    load_drift_report,
    load_missing_secrets,
    load_review,
    load_verification,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.core.drift import DriftReport
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.verification import Verification
    from reconciler.publishers.forge import Forge
    from reconciler.reports.report import Report, Step
    from reconciler.reports.webhook import Origin

_OUTDATED = "➡️ This plan is out of date: another comment has the result of the apply."

_SUMMARY_MARGIN = 16
"""Bytes of a job summary that are left for the line breaks between reports."""

_DRIFT_BYTES = 40_000
_VERIFY_BYTES = 22_000
"""Shares of the issue, which together leave room for its hidden lines and links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What to publish. ``name`` distinguishes environments that publish in the same place.

    ``failed`` is a run without a plan, ``environment`` the forge's environment whose reviewers approve.
    ``is_merged``: the plan is for a merged commit. ``drift_note`` is the drift issue's sentence about a pull
    request. ``verify`` is a report of logins, as ``drift`` is one of values. ``head`` is the pull request's
    commit, and ``workflow_commit`` the forge's merge of it.
    ``not_applied``: the job that applies the plan wrote no result.
    """

    plan: Plan | None = None
    failed: FailedRun | None = None
    apply: ApplyResult | None = None
    drift: DriftReport | None = None
    verify: Verification | None = None
    name: str = ""
    environment: str = ""
    labels: bool = True
    details_url: str = ""
    is_merged: bool = False
    not_applied: bool = False
    head: str = ""
    workflow_commit: str = ""
    drift_note: str = ""

    @property
    def has_comment(self) -> bool:
        """Whether there is something to say on the pull request."""
        return any((self.plan, self.failed, self.apply))

    @property
    def has_reports(self) -> bool:
        """Whether there is a report to publish."""
        return self.has_comment or self.has_issue

    @property
    def has_issue(self) -> bool:
        """Whether there is a report for the issue."""
        return self.drift is not None or self.verify is not None


def load_publication(
    *,
    plan_file: Path | None = None,
    apply_file: Path | None = None,
    drift_file: Path | None = None,
    verify_file: Path | None = None,
    secrets_file: Path | None = None,
    no_result: bool = False,
    not_applied: bool = False,
    name: str,
    environment: str = "",
    labels: bool,
    details_url: str,
) -> Publication:
    """Read the files.

    Raises:
        ReconcilerError: a file or the name is invalid.
    """
    drift = load_drift_report(drift_file) if drift_file else None
    verification = load_verification(verify_file) if verify_file else None
    if drift and verification and drift.scope.principal != verification.scope.principal:
        raise ReportRefused(f"{drift_file} and {verify_file} are of different projects: publish them apart")
    review = load_review(plan_file) if plan_file else _no_result() if no_result else None
    return Publication(
        plan=review if isinstance(review, Plan) else None,
        failed=review if isinstance(review, FailedRun) else None,
        apply=_load_apply(apply_file, secrets_file) if apply_file else None,
        drift=drift,
        verify=verification,
        name=check_name(name) if name else "",
        environment=environment,
        labels=labels,
        details_url=details_url,
        not_applied=not_applied,
    )


def _no_result() -> FailedRun:
    """Return the report for a plan job that wrote no result."""
    summary = "the plan job ended without a result"
    error = Diagnostic(Severity.ERROR, "no-result", summary, hint="the log of that job says why")
    return FailedRun(diagnostics=(error,), is_lost=True)


def _load_apply(apply_file: Path, secrets_file: Path | None) -> ApplyResult:
    """Read the result of an apply, with all secrets that are missing, also those that it did not need."""
    result = load_apply_result(apply_file)
    missing = load_missing_secrets(secrets_file) if secrets_file else ()
    known = {finding.missing_secret.reference for finding in missing if finding.missing_secret}
    others = tuple(
        finding
        for finding in result.diagnostics
        if finding.missing_secret is None or finding.missing_secret.reference not in known
    )
    return replace(result, diagnostics=(*others, *missing))


def publish(forge: Forge, publication: Publication) -> Iterator[str]:
    """Publish everything, and yield a line for each thing that was done.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    for kind, report in _comments(publication):
        yield _publish_comment(forge, kind, report, publication)
    if publication.labels and (publication.plan or publication.failed):
        yield from _publish_labels(forge, publication)
    if publication.has_issue:
        yield _publish_issue(forge, publication)


def write_summary(file: Path, publication: Publication) -> None:
    """Append the reports to a job summary, cut to the size that is left in it."""
    reports = [report for _, report in _comments(publication)]
    if publication.drift:
        reports.append(drift_report(publication.drift))
    if publication.verify:
        reports.append(verify_report(publication.verify))
    for report in reports:
        max_bytes = room_in_summary(file) - _SUMMARY_MARGIN
        append_summary(file, render_markdown(report, max_bytes=max_bytes))


def webhook_bodies(publication: Publication, origin: Origin) -> Iterator[bytes]:
    """Yield the body of a webhook for each report."""
    reports = (publication.drift, publication.verify)
    for result in (publication.plan, publication.failed, publication.apply, *reports):
        if result:
            yield webhook_body(result, origin)


def _comments(publication: Publication) -> Iterator[tuple[str, Report]]:
    """Yield the kind and the report of each comment on the pull request."""
    if publication.plan:
        report = plan_report(publication.plan)
        steps = (*report.steps, *_merge_steps(publication.plan, publication))
        yield "plan", _named(replace(report, steps=steps), publication)
    if publication.failed:
        failed = failed_steps(publication.failed, is_merged=publication.is_merged)
        report = replace(failed_run_report(publication.failed), steps=tuple(failed))
        yield "plan", _named(report, publication)
    if publication.apply:
        yield "apply", _named(apply_report(publication.apply), publication)


def _merge_steps(plan: Plan, publication: Publication) -> Iterator[Step]:
    if publication.not_applied and plan.has_changes and not plan.refusals:
        return not_applied_steps()
    steps = merged_steps if publication.is_merged else merge_steps
    return steps(plan, publication.environment)


def _named(report: Report, publication: Publication) -> Report:
    """Return the report with the name of the environment, and the commit that people pushed."""
    if report.origin is None:
        return report
    is_merge = publication.head and report.origin.commit == publication.workflow_commit
    commit = publication.head if is_merge else report.origin.commit
    return replace(report, origin=replace(report.origin, name=publication.name, commit=commit))


def _publish_comment(forge: Forge, kind: str, report: Report, publication: Publication) -> str:
    origin = report.origin
    comment = StickyComment(
        kind=kind,
        identity=publication.name or (default_identity(origin.scope) if origin else ""),
        made_at=origin.created_at if origin else "",
        body=render_markdown(report) + _link(publication),
    )
    done, url = publish_comment(forge, comment)
    if kind == "apply":
        fold_outdated(forge, "plan", comment, _OUTDATED)
    return f"comment {done}: {url}" if kind == "plan" else f"comment on the {kind} {done}: {url}"


def _publish_labels(forge: Forge, publication: Publication) -> Iterator[str]:
    """Give the labels of a plan; of a run without one, whose project may not be known, that it is blocked."""
    scope = publication.plan.scope if publication.plan else publication.failed and publication.failed.scope
    name = publication.name or (scope.environment.value if scope else "")
    if name:
        kinds = risk_labels(publication.plan) if publication.plan else _failed_labels(publication.failed)
        labels = publish_labels(forge, kinds, name)
        yield f"labels: {', '.join(sorted(labels)) or 'none'}"


def _failed_labels(failed: FailedRun | None) -> frozenset[str]:
    has_errors = failed is not None and any(diagnostic.is_error for diagnostic in failed.diagnostics)
    return frozenset({"blocked"} if has_errors else ())


def _publish_issue(forge: Forge, publication: Publication) -> str:
    reports = [report for report in (publication.drift, publication.verify) if report]
    scope = reports[0].scope
    line = marker("drift", publication.name or default_identity(scope))
    parts = tuple(_issue_parts(publication))
    done, url = publish_issue(forge, line, publication.name or scope.environment.value, parts)
    return f"issue {done}: {url}".rstrip(": ")


def _issue_parts(publication: Publication) -> Iterator[IssuePart]:
    if publication.drift:
        yield _drift_part(publication.drift, publication)
    if publication.verify:
        yield _verify_part(publication.verify, publication)


def _drift_part(report: DriftReport, publication: Publication) -> IssuePart:
    rendered = drift_report(_without_logins(report, publication.verify))
    is_over = not (report.has_drift or report.has_errors or report.unchecked)
    return IssuePart(
        kind=PartKind.DRIFT,
        body=_with_note(rendered, publication.drift_note) + _link(publication),
        state=_state(is_open=report.has_drift, is_over=is_over),
        made_at=report.created_at,
        news=render_news(rendered, max_bytes=_DRIFT_BYTES),
        announcement=f"**Drift**: {count(len(report.findings), 'finding')}, in the description.",
    )


def _without_logins(report: DriftReport, result: Verification | None) -> DriftReport:
    """Return the report without the warnings that the part about logins has as well."""
    shared = {(finding.code, finding.address) for finding in result.findings} if result else set()
    diagnostics = tuple(
        item for item in report.diagnostics if item.is_error or (item.code, item.address) not in shared
    )
    return replace(report, diagnostics=diagnostics)


def _verify_part(result: Verification, publication: Publication) -> IssuePart:
    rendered = verify_issue_report(result)
    open_findings = [finding for finding in (*result.findings, *result.unchecked) if finding.needs_action]
    when = short_time(result.created_at)
    when = markdown_code(when) if when == result.created_at else when
    heading = f"## Logins\n\nChecked by `verify` at {when}."
    text = render_markdown(rendered, max_bytes=_VERIFY_BYTES - len(heading))
    return IssuePart(
        kind=PartKind.VERIFY,
        body=f"{heading}\n\n{text}{_link(publication)}",
        state=_state(is_open=result.needs_action, is_over=result.is_complete and not open_findings),
        made_at=result.created_at,
        news=render_news(rendered, max_bytes=_VERIFY_BYTES),
        announcement=f"**Login problems**: {count(len(open_findings), 'finding')}, in the description.",
    )


def _state(*, is_open: bool, is_over: bool) -> PartState:
    if is_open:
        return PartState.OPEN
    return PartState.OVER if is_over else PartState.UNKNOWN


def _with_note(report: Report, note: str) -> str:
    """Return the report with a note, in the size that a report may have in the issue."""
    text = render_markdown(report, max_bytes=_DRIFT_BYTES - len(note.encode()))
    return f"{text}\n{note}" if note else text


def _link(publication: Publication) -> str:
    return f"\n[Details]({publication.details_url})\n" if publication.details_url else ""
