"""The drift report as an HTML page: what is declared beside what is live."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.core.drift import DriftKind, FindingStatus
from reconciler.reports.drift_words import (
    condition,
    drift_shortcomings,
    drift_verdict,
    side_text,
    since_previous,
    subject,
)
from reconciler.reports.html import html_text
from reconciler.reports.html_page import (
    Card,
    Group,
    HtmlPage,
    Line,
    Row,
    facts_of,
    notes_of,
    unmanaged_of,
)
from reconciler.reports.prose import segments
from reconciler.reports.urgency import most_urgent_findings
from reconciler.reports.visible import count, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.change import Value
    from reconciler.core.drift import DriftReport, Finding

_KINDS: Final = (
    (DriftKind.MISSING, "Missing"),
    (DriftKind.CHANGED, "Changed"),
    (DriftKind.UNEXPECTED, "Unexpected"),
)


def drift_html(report: DriftReport, *, color: bool = False) -> str:
    """Return the whole report as one HTML file."""
    del color  # a page chooses its own; every format takes the same arguments
    unresolved = () if report.secrets_compared else ("Secrets: not resolved and not compared.",)
    page = HtmlPage(
        title="Drift",
        verdict=drift_verdict(report),
        tone=_tone(report),
        remarks=(*drift_shortcomings(report), *since_previous(report), *unresolved),
        notes=notes_of(most_urgent_findings(report.diagnostics)),
        columns=("Declared", "Live"),
        actions=tuple(
            (kind.value, label) for kind, label in _KINDS if any(one.kind is kind for one in report.findings)
        ),
        groups=_groups(report.findings),
        lists=_lists(report),
        facts=facts_of(report.scope, report.commit, report.created_at),
    )
    return html_text(page)


def _tone(report: DriftReport) -> str:
    if report.has_errors:
        return "bad"
    return "attention" if report.has_drift else "good"


def _groups(findings: Sequence[Finding]) -> tuple[Group, ...]:
    in_order = sorted(findings, key=lambda one: one.address)
    return tuple(
        _group(organization, tuple(group))
        for organization, group in groupby(in_order, key=lambda one: one.address.organization)
    )


def _group(organization: str, findings: Sequence[Finding]) -> Group:
    cards = tuple(
        _card(tuple(group)) for _, group in groupby(findings, key=lambda one: (one.address, one.kind))
    )
    return Group(organization=visible(organization), counts=(count(len(findings), "finding"),), cards=cards)


def _card(findings: Sequence[Finding]) -> Card:
    first = findings[0]
    return Card(
        address=visible(str(first.address)),
        action=first.kind.value,
        intention=" ".join(condition(first)),
        reason=segments("" if first.attribute else _since(first)),
        place=visible(str(first.location)) if first.location else "",
        rows=tuple(
            Row(
                visible(one.attribute),
                (_side(one, one.declared),),
                (_side(one, one.live), Line(_since(one), is_note=True)),
            )
            for one in findings
            if one.attribute
        ),
    )


def _side(one: Finding, value: Value | None) -> Line:
    return Line(side_text(one, value), is_note=one.is_sensitive)


def _since(one: Finding) -> str:
    return "new" if one.status is FindingStatus.NEW else visible(f"since {one.first_seen}")


def _lists(report: DriftReport) -> tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]:
    lists = (
        (f"Resolved: {count(len(report.resolved), 'finding')}", _subjects(report.resolved)),
        (f"Unchecked by this run: {count(len(report.unchecked), 'finding')}", _subjects(report.unchecked)),
        (
            f"Unmanaged: {count(len(report.unmanaged), 'connection')} declared nowhere, which is no drift",
            unmanaged_of(report.unmanaged),
        ),
    )
    return tuple(one for one in lists if one[1])


def _subjects(findings: Sequence[Finding]) -> tuple[tuple[str, ...], ...]:
    return tuple((subject(one),) for one in findings)
