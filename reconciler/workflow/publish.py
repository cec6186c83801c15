"""Publishes a plan, the result of an apply, or a drift report: comments, labels, issue and job summary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.plan import Plan
from reconciler.core.results import FailedRun
from reconciler.publishers.github import append_summary, room_in_summary
from reconciler.publishers.sticky import (
    DriftNotice,
    StickyComment,
    check_name,
    default_identity,
    marker,
    publish_comment,
    publish_drift,
    publish_labels,
    risk_labels,
)
from reconciler.reports.apply_report import apply_report
from reconciler.reports.drift_report import drift_report
from reconciler.reports.markdown import MAX_BYTES, render_markdown, render_news
from reconciler.reports.next_steps import failed_steps, merge_steps, merged_steps, not_applied_steps
from reconciler.reports.plan_report import plan_report
from reconciler.reports.validation import failed_run_report
from reconciler.reports.webhook_document import webhook_body
from reconciler.storage.documents import (
    load_apply_result,
    load_drift_report,
    load_missing_secrets,
    load_review,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.core.drift import DriftReport
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Scope
    from reconciler.publishers.forge import Forge
    from reconciler.reports.report import Report, Step
    from reconciler.reports.webhook_document import Origin

_SUMMARY_MARGIN = 16
"""Bytes of a job summary that are left for the line breaks between reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What to publish. ``name`` distinguishes environments that publish in the same place.

    ``failed`` is a run without a plan, ``environment`` the forge's environment whose reviewers approve.
    ``is_merged``: the plan is for a merged commit. ``drift_note`` is the drift issue's sentence about a pull
    request. ``head`` is the pull request's commit, and ``workflow_commit`` the forge's merge of it.
    ``not_applied``: the job that applies the plan wrote no result.
    """

    plan: Plan | None = None
    failed: FailedRun | None = None
    apply: ApplyResult | None = None
    drift: DriftReport | None = None
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
        return self.has_comment or self.drift is not None


def load_publication(
    *,
    plan_file: Path | None = None,
    apply_file: Path | None = None,
    drift_file: Path | None = None,
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
    review = load_review(plan_file) if plan_file else _no_result() if no_result else None
    return Publication(
        plan=review if isinstance(review, Plan) else None,
        failed=review if isinstance(review, FailedRun) else None,
        apply=_load_apply(apply_file, secrets_file) if apply_file else None,
        drift=load_drift_report(drift_file) if drift_file else None,
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
    if publication.drift:
        yield _publish_issue(forge, publication.drift, publication)


def write_summary(file: Path, publication: Publication) -> None:
    """Append the reports to a job summary, cut to the size that is left in it."""
    reports = [report for _, report in _comments(publication)]
    if publication.drift:
        reports.append(drift_report(publication.drift))
    for report in reports:
        max_bytes = room_in_summary(file) - _SUMMARY_MARGIN
        append_summary(file, render_markdown(report, max_bytes=max_bytes))


def webhook_bodies(publication: Publication, origin: Origin) -> Iterator[bytes]:
    """Yield the body of a webhook for each report."""
    for result in (publication.plan, publication.failed, publication.apply, publication.drift):
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


def _publish_issue(forge: Forge, report: DriftReport, publication: Publication) -> str:
    rendered = drift_report(report)
    notice = DriftNotice(
        title=f"Drift in {_short_name(publication, report.scope)}",
        body=_with_note(rendered, publication.drift_note) + _link(publication),
        news=render_news(rendered),
        has_drift=report.has_drift,
        is_over=not report.has_drift and not report.has_errors and not report.unchecked,
    )
    done, url = publish_drift(forge, _marker("drift", publication, report.scope), notice)
    return f"issue {done}: {url}".rstrip(": ")


def _with_note(report: Report, note: str) -> str:
    """Return the report with a note, in the size that a report alone may have."""
    text = render_markdown(report, max_bytes=MAX_BYTES - len(note.encode()))
    return f"{text}\n{note}" if note else text


def _marker(kind: str, publication: Publication, scope: Scope) -> str:
    return marker(kind, publication.name or default_identity(scope))


def _short_name(publication: Publication, scope: Scope) -> str:
    return publication.name or scope.environment.value


def _link(publication: Publication) -> str:
    return f"\n[Details]({publication.details_url})\n" if publication.details_url else ""
