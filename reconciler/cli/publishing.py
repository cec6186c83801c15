"""From files to what is published: which text goes where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.publishers.drift_issue import DriftNotice, publish_drift
from reconciler.publishers.job_summary import append_summary, room_left
from reconciler.publishers.marker import checked_name, default_identity, marker
from reconciler.publishers.risk_labels import publish_labels
from reconciler.publishers.sticky_comment import publish_comment
from reconciler.reports.drift_markdown import drift_markdown, drift_news
from reconciler.reports.plan_markdown import plan_markdown
from reconciler.storage.drift_file import load_drift_report
from reconciler.storage.plan_file import load_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.drift import DriftReport
    from reconciler.core.plan import Plan, Scope
    from reconciler.publishers.base import Forge


_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,1000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is to be shown; ``name`` is empty if nobody gave one."""

    plan: Plan | None = None
    drift: DriftReport | None = None
    name: str = ""
    labels: bool = True
    details_url: str = ""

    @property
    def needs_review_only(self) -> bool:
        """Whether everything of it belongs to a pull request."""
        return self.drift is None


def publication_of(options: Mapping[str, Any], run_url: str) -> Publication:
    """Read what the call names; ``run_url`` is linked to unless the call names another address.

    Raises:
        click.UsageError: it names nothing.
        ReconcilerError: a file or the name cannot be used.
    """
    if not options["plan_file"] and not options["drift_file"]:
        raise click.UsageError("nothing to publish: give --plan FILE or --drift FILE")
    return Publication(
        plan=load_plan(Path(options["plan_file"])) if options["plan_file"] else None,
        drift=load_drift_report(Path(options["drift_file"])) if options["drift_file"] else None,
        name=checked_name(options["name"]) if options["name"] else "",
        labels=options["labels"],
        details_url=_checked_link(options["details_url"] or run_url),
    )


def publish(forge: Forge, publication: Publication) -> tuple[str, ...]:
    """Publish everything; return a line for each thing that was done.

    Raises:
        PublishingFailed: the forge refuses, or cannot be reached.
    """
    return tuple(_published(forge, publication))


def write_summary(publication: Publication, path: str | None) -> bool:
    """Append everything to the job's summary, as far as that can hold it; tell whether there is one."""
    if not path:
        return False
    file = Path(path)
    if publication.plan:
        append_summary(file, plan_markdown(publication.plan, most_bytes=room_left(file) - 16))
    if publication.drift:
        append_summary(file, drift_markdown(publication.drift, most_bytes=room_left(file) - 16))
    click.echo("job summary: written")
    return True


def _published(forge: Forge, publication: Publication) -> Iterator[str]:
    if publication.plan:
        yield _comment(forge, publication.plan, publication)
    if publication.plan and publication.labels:
        labels = publish_labels(forge, publication.plan, _short_name(publication, publication.plan.scope))
        yield f"labels: {', '.join(sorted(labels)) or 'none'}"
    if publication.drift:
        yield _issue(forge, publication.drift, publication)


def _comment(forge: Forge, plan: Plan, publication: Publication) -> str:
    body = plan_markdown(plan) + _link(publication)
    done, url = publish_comment(forge, _marker("plan", publication, plan.scope), body)
    return f"comment {done}: {url}"


def _issue(forge: Forge, report: DriftReport, publication: Publication) -> str:
    notice = DriftNotice(
        title=f"Drift in {_short_name(publication, report.scope)}",
        body=drift_markdown(report) + _link(publication),
        news=drift_news(report),
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


def _checked_link(url: str) -> str:
    """Return an address that cannot be more than a link in Markdown."""
    if url and _ADDRESS.fullmatch(url) is None:
        raise click.UsageError("--details-url must be a plain http or https address")
    return url
