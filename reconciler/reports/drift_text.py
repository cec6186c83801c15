"""The drift report for people: per connection what Git says beside what is live, and since when."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.core.change import RESOURCE_TYPE, Action
from reconciler.core.drift import DriftKind, FindingStatus
from reconciler.reports.attributes import symbol
from reconciler.reports.diagnostic_box import render_diagnostic
from reconciler.reports.drift_words import (
    NO_DRIFT,
    condition,
    drift_shortcomings,
    drift_verdict,
    side_text,
    since_previous,
    subject,
)
from reconciler.reports.style import Style
from reconciler.reports.visible import count, quoted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.drift import DriftReport, Finding

_ACTIONS: Final = {
    DriftKind.MISSING: Action.DELETE,
    DriftKind.CHANGED: Action.UPDATE,
    DriftKind.UNEXPECTED: Action.CREATE,
}


def render_drift(report: DriftReport, *, color: bool = False) -> str:
    """Return the whole report: findings, verdict, what changed since the previous one, diagnostics."""
    return "\n".join(_sections(report, Style(color))) + "\n"


def _sections(report: DriftReport, style: Style) -> Iterator[str]:
    for _address, group in groupby(report.findings, key=lambda one: one.address):
        yield "\n".join(_connection(tuple(group), report, style)) + "\n"
    yield _verdict(report, style)
    yield from _counts(report)
    for found in sorted(report.diagnostics, key=lambda one: one.is_error):
        yield "\n" + render_diagnostic(found, style)


def _connection(findings: Sequence[Finding], report: DriftReport, style: Style) -> Iterator[str]:
    first = findings[0]
    yield f"{style.bold(f'  # {visible(str(first.address))}')} {_words(first, style)}"
    if first.location:
        yield f"  # {visible(str(first.location))}"
    identity = f" [id={visible(first.connection_id)}]" if first.connection_id else ""
    mark = symbol(_ACTIONS[first.kind], style)
    line = f"  {mark} {RESOURCE_TYPE} {quoted(first.address.connection)}{identity}"
    if first.kind is not DriftKind.CHANGED:
        yield line + _since(first, report, style)
        return
    yield line + " {"
    for one in findings:
        yield f"      {symbol(Action.UPDATE, style)} {one.attribute}{_since(one, report, style)}"
        yield f"            declared = {side_text(one, one.declared)}"
        yield f"            live     = {side_text(one, one.live)}"
    yield "    }"


def _words(finding: Finding, style: Style) -> str:
    before, what = condition(finding)
    paint = style.yellow if finding.kind is DriftKind.CHANGED else style.red
    return f"{before} {paint(what)}"


def _since(finding: Finding, report: DriftReport, style: Style) -> str:
    """Return how old a finding is, where there is a previous report to tell it."""
    if not report.previous_at:
        return ""
    known = finding.status is FindingStatus.EXISTING
    return style.dim(f"  # since {visible(finding.first_seen)}" if known else "  # new")


def _verdict(report: DriftReport, style: Style) -> str:
    words = drift_verdict(report)
    return style.verdict(words, is_good=True) if words == NO_DRIFT else style.bold(words)


def _counts(report: DriftReport) -> Iterator[str]:
    summary = report.summary
    yield from drift_shortcomings(report)
    yield from since_previous(report)
    yield from (f"  resolved: {subject(one)}" for one in report.resolved)
    if report.unchecked:
        yield f"Unchecked: {count(summary.unchecked, 'earlier finding')} this run cannot speak of."
        yield from (f"  unchecked: {subject(one)}" for one in report.unchecked)
    if not report.secrets_compared:
        yield "Secrets: not resolved and not compared."
    if summary.unmanaged:
        yield f"Unmanaged: {count(summary.unmanaged, 'connection')} declared nowhere, which is no drift."
