"""The drift report as GitHub annotations on the manifests' lines, new findings first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.drift import FindingStatus
from reconciler.reports.drift_words import condition, difference, drift_shortcomings, drift_verdict
from reconciler.reports.github_commands import annotation, finding_annotation, ordinary_line
from reconciler.reports.urgency import most_urgent_findings

if TYPE_CHECKING:
    from reconciler.core.drift import DriftReport, Finding


def drift_github(report: DriftReport, *, color: bool = False) -> str:
    """Return one command per diagnostic and per finding, then the verdict as a line of the log."""
    del color  # commands have none; every format takes the same arguments
    lines = [finding_annotation(found) for found in most_urgent_findings(report.diagnostics)]
    new_first = sorted(report.findings, key=lambda one: one.status is not FindingStatus.NEW)
    lines += [_annotation(one) for one in new_first]
    lines += [ordinary_line(words) for words in (drift_verdict(report), *drift_shortcomings(report))]
    return "\n".join(lines) + "\n"


def _annotation(one: Finding) -> str:
    title = f"{one.address} {' '.join(condition(one))}"
    return annotation("warning", title, difference(one), one.location)
