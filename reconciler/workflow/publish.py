"""Publishes a saved plan or a drift report: comment, labels, issue and job summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.publishers.github import append_summary, room_in_summary
from reconciler.publishers.sticky import (
    DriftNotice,
    check_name,
    default_identity,
    marker,
    publish_comment,
    publish_drift,
    publish_labels,
)
from reconciler.reports.drift_report import drift_report
from reconciler.reports.markdown import render_markdown, render_news
from reconciler.reports.plan_report import plan_report
from reconciler.reports.webhook_document import webhook_body
from reconciler.storage.documents import load_drift_report, load_plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.core.drift import DriftReport
    from reconciler.core.plan import Plan, Scope
    from reconciler.publishers.forge import Forge
    from reconciler.reports.webhook_document import Origin

_SUMMARY_MARGIN = 16
"""Bytes of a job summary that are left for the line breaks between reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What to publish. ``name`` distinguishes environments that publish in the same place."""

    plan: Plan | None = None
    drift: DriftReport | None = None
    name: str = ""
    labels: bool = True
    details_url: str = ""


def load_publication(
    *, plan_file: Path | None, drift_file: Path | None, name: str, labels: bool, details_url: str
) -> Publication:
    """Read the files.

    Raises:
        ReconcilerError: a file or the name is invalid.
    """
    return Publication(
        plan=load_plan(plan_file) if plan_file else None,
        drift=load_drift_report(drift_file) if drift_file else None,
        name=check_name(name) if name else "",
        labels=labels,
        details_url=details_url,
    )


def publish(forge: Forge, publication: Publication) -> Iterator[str]:
    """Publish everything, and yield a line for each thing that was done.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    if publication.plan:
        yield _publish_comment(forge, publication.plan, publication)
    if publication.plan and publication.labels:
        labels = publish_labels(forge, publication.plan, _short_name(publication, publication.plan.scope))
        yield f"labels: {', '.join(sorted(labels)) or 'none'}"
    if publication.drift:
        yield _publish_issue(forge, publication.drift, publication)


def write_summary(file: Path, publication: Publication) -> None:
    """Append the reports to a job summary, cut to the size that is left in it."""
    reports = (
        plan_report(publication.plan) if publication.plan else None,
        drift_report(publication.drift) if publication.drift else None,
    )
    for report in reports:
        if report:
            max_bytes = room_in_summary(file) - _SUMMARY_MARGIN
            append_summary(file, render_markdown(report, max_bytes=max_bytes))


def webhook_bodies(publication: Publication, origin: Origin) -> Iterator[bytes]:
    """Yield the body of a webhook for each report."""
    for result in (publication.plan, publication.drift):
        if result:
            yield webhook_body(result, origin)


def _publish_comment(forge: Forge, plan: Plan, publication: Publication) -> str:
    body = render_markdown(plan_report(plan)) + _link(publication)
    done, url = publish_comment(forge, _marker("plan", publication, plan.scope), body)
    return f"comment {done}: {url}"


def _publish_issue(forge: Forge, report: DriftReport, publication: Publication) -> str:
    rendered = drift_report(report)
    notice = DriftNotice(
        title=f"Drift in {_short_name(publication, report.scope)}",
        body=render_markdown(rendered) + _link(publication),
        news=render_news(rendered),
        has_drift=report.has_drift,
        is_over=not report.has_drift and not report.has_errors and not report.unchecked,
    )
    done, url = publish_drift(forge, _marker("drift", publication, report.scope), notice)
    return f"issue {done}: {url}".rstrip(": ")


def _marker(kind: str, publication: Publication, scope: Scope) -> str:
    return marker(kind, publication.name or default_identity(scope))


def _short_name(publication: Publication, scope: Scope) -> str:
    return publication.name or scope.environment.value


def _link(publication: Publication) -> str:
    return f"\n[Details]({publication.details_url})\n" if publication.details_url else ""
