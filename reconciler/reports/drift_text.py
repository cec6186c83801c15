"""The drift report for people: per connection what Git says beside what is live, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Final, assert_never

from reconciler.core.change import RESOURCE_TYPE, Action
from reconciler.core.drift import DriftKind, Standing
from reconciler.reports.attributes import SENSITIVE, symbol
from reconciler.reports.diagnostic_box import render_diagnostic
from reconciler.reports.style import Style
from reconciler.reports.visible import count, quoted, value_text, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.change import Value
    from reconciler.core.drift import DriftReport, Finding

NO_DRIFT: Final = "No drift. What is live matches the configuration."

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
        yield f"            declared = {_value(one, one.declared)}"
        yield f"            live     = {_value(one, one.live)}"
    yield "    }"


def _words(finding: Finding, style: Style) -> str:
    match finding.kind:
        case DriftKind.MISSING if finding.connection_id:
            return f"is declared, but {style.red('its create was interrupted')}"
        case DriftKind.MISSING:
            return f"is declared, but {style.red('not live')}"
        case DriftKind.CHANGED:
            return f"is {style.yellow('not as declared')}"
        case DriftKind.UNEXPECTED:
            return f"is {style.red('live, but declared to be gone')}"
        case _:
            assert_never(finding.kind)


def _value(finding: Finding, value: Value | None) -> str:
    if finding.is_sensitive:
        return SENSITIVE
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{quoted(key)} = {value_text(value[key])}" for key in sorted(value))
        return f"{{{pairs}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(value_text(item) for item in value)}]"
    return value_text(value or "")


def _since(finding: Finding, report: DriftReport, style: Style) -> str:
    """Return how old a finding is, where there is a previous report to tell it."""
    if not report.previous_at:
        return ""
    known = finding.standing is Standing.KNOWN
    return style.dim(f"  # since {visible(finding.first_seen)}" if known else "  # new")


def _verdict(report: DriftReport, style: Style) -> str:
    """Return the line that other programs look for; "no drift" is said only if that is certain."""
    summary = report.summary
    if report.has_drift:
        words = f"{summary.missing} missing, {summary.changed} changed, {summary.unexpected} unexpected."
        return style.bold(f"Drift: {words}")
    if not report.has_errors:
        return style.verdict(NO_DRIFT, is_good=True)
    return style.bold("No drift was found in what could be looked at.")


def _counts(report: DriftReport) -> Iterator[str]:
    summary = report.summary
    if not report.is_complete:
        yield (
            f"Refused: {summary.refused} of {count(summary.organizations, 'organization')}; "
            "this report is incomplete, the errors below say why."
        )
    if report.previous_at:
        yield (
            f"Since {visible(report.previous_at)}: {summary.new} new, {summary.known} still there, "
            f"{summary.resolved} resolved."
        )
    yield from (f"  resolved: {_name(one)}" for one in report.resolved)
    if report.unchecked:
        yield f"Unchecked: {count(summary.unchecked, 'earlier finding')} this run cannot speak of."
        yield from (f"  unchecked: {_name(one)}" for one in report.unchecked)
    if not report.secrets_compared:
        yield "Secrets: not resolved and not compared."
    if summary.unmanaged:
        yield f"Unmanaged: {count(summary.unmanaged, 'connection')} declared nowhere, which is no drift."


def _name(finding: Finding) -> str:
    attribute = f" {finding.attribute}" if finding.attribute else ""
    return f"{visible(str(finding.address))}{visible(attribute)} ({finding.kind.value})"
