"""Text of a drift report: declared and live values of each connection, and when they first differed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action
from reconciler.core.drift import DriftKind, FindingStatus
from reconciler.core.errors import Severity, count
from reconciler.core.plan import Unmanaged
from reconciler.reports import wording
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.findings import group_findings
from reconciler.reports.text_plan import symbol, unmanaged_line, unmanaged_lines
from reconciler.reports.text_style import PLAIN, finding_boxes, target_heading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.drift import DriftReport, Finding
    from reconciler.reports.text_style import Style

_ACTIONS: Final = {
    DriftKind.MISSING: Action.DELETE,
    DriftKind.CHANGED: Action.UPDATE,
    DriftKind.UNEXPECTED: Action.CREATE,
    DriftKind.UNDECLARED: Action.CREATE,
    DriftKind.UNKNOWN_ORGANIZATION: Action.CREATE,
    DriftKind.RISK: Action.UPDATE,
    DriftKind.FOREIGN_ENDPOINT: Action.UPDATE,
}


def render_drift(report: DriftReport, *, style: Style = PLAIN) -> str:
    """Return the whole report: findings, verdict, what changed since the previous one, diagnostics."""
    return "\n".join(_sections(report, style)) + "\n"


def _sections(report: DriftReport, style: Style) -> Iterator[str]:
    yield from target_heading(report.scope, style)
    if headlines := [f"  ! {escape_terminal(line)}" for line in wording.drift_headlines(report)]:
        yield style.bold("Look at these first:")
        yield "\n".join(headlines) + "\n"
    for _key, group in groupby(report.findings, key=lambda finding: (finding.address, finding.kind)):
        yield "\n".join(_connection(tuple(group), report, style)) + "\n"
    yield _verdict(report, style)
    yield from _counts(report)
    findings = (*report.guards, *report.diagnostics)
    gravest_last = sorted(findings, key=lambda item: [*Severity].index(item.severity), reverse=True)
    groups = group_findings(gravest_last, error_word="refused")
    yield from (f"\n{box}" for box in finding_boxes(groups, style))


def _connection(findings: Sequence[Finding], report: DriftReport, style: Style) -> Iterator[str]:
    first = findings[0]
    yield f"{style.bold(f'  # {escape_terminal(str(first.address))}')} {_words(first, style)}"
    if first.location:
        yield f"  # {escape_terminal(str(first.location))}"
    identity = f" [id={escape_terminal(first.connection_id)}]" if first.connection_id else ""
    mark = symbol(_ACTIONS[first.kind], style)
    line = f"  {mark} {wording.resource(first.address, first.display_name)}{identity}"
    if first.kind is DriftKind.RISK:
        for finding in findings[1:]:
            yield f"{style.bold(f'  # {escape_terminal(str(finding.address))}')} {_words(finding, style)}"
    if not first.attribute:
        yield line + _since(first, report, style)
        yield from _accept(findings, style)
        return
    yield line + " {"
    for finding in findings:
        yield f"      {symbol(Action.UPDATE, style)} {finding.attribute}{_since(finding, report, style)}"
        sides = [*wording.finding_sides(finding)]
        width = max(len(side) for side, _ in sides)
        yield from (f"            {side:<{width}} = {value}" for side, value in sides)
    yield "    }"
    yield from _accept(findings, style)


def _accept(findings: Sequence[Finding], style: Style) -> Iterator[str]:
    """Yield the commands that take what is live into Git, or how it is approved."""
    approvable = (finding for finding in findings if finding.rule)
    for advice in dict.fromkeys(map(wording.approval_advice, approvable)):
        yield style.dim(f"    # {escape_terminal(advice)}")
    for command in dict.fromkeys(finding.accept_command for finding in findings if finding.accept_command):
        yield style.dim(f"    # {wording.TO_ACCEPT} {escape_terminal(command)}")


def _words(finding: Finding, style: Style) -> str:
    before, what = wording.finding_condition(finding)
    paint = style.yellow if finding.kind is DriftKind.CHANGED else style.red
    return f"{before} {paint(escape_terminal(what))}"


def _since(finding: Finding, report: DriftReport, style: Style) -> str:
    """Return how old a finding is, where there is a previous report to tell it."""
    if not report.previous_at:
        return ""
    known = finding.status is FindingStatus.EXISTING
    return style.dim(f"  # since {escape_terminal(finding.first_seen)}" if known else "  # new")


def _verdict(report: DriftReport, style: Style) -> str:
    words = wording.drift_verdict(report)
    return style.verdict(words, is_good=True) if words == wording.NO_DRIFT else style.bold(words)


def _counts(report: DriftReport) -> Iterator[str]:
    summary = report.summary
    yield from map(escape_terminal, wording.drift_limitations(report))
    yield from map(escape_terminal, wording.since_previous(report))
    yield from (
        f"  resolved: {escape_terminal(wording.finding_subject(finding))}" for finding in report.resolved
    )
    if report.unchecked:
        yield f"Unchecked: {count(summary.unchecked, 'earlier finding')} that this run could not check."
        yield from (
            f"  unchecked: {escape_terminal(wording.finding_subject(finding))}"
            for finding in report.unchecked
        )
    if not report.secrets_compared:
        yield wording.SECRETS_NOT_COMPARED
    if summary.unmanaged:
        yield f"{wording.unmanaged_heading(summary.unmanaged)}; this is not drift."
        yield from unmanaged_lines(report.unmanaged)
    if report.unknown_organizations:
        yield wording.unknown_heading(len(report.unknown_organizations))
        for active in report.unknown_organizations:
            for connection in active.connections:
                yield unmanaged_line(Unmanaged(active.organization.label, connection))
