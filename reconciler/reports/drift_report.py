"""Builds the drift report, with declared and live values side by side."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.core.drift import DriftKind, FindingStatus
from reconciler.core.errors import count
from reconciler.core.plan import SIGN_IN_FIELDS
from reconciler.reports import wording
from reconciler.reports.escaping import short_time
from reconciler.reports.findings import finding_counters, group_findings
from reconciler.reports.plan_report import unmanaged_list
from reconciler.reports.report import (
    Annotation,
    Card,
    Category,
    Cell,
    Column,
    Counter,
    Difference,
    Group,
    ItemList,
    Line,
    News,
    Origin,
    Report,
    Row,
    ScanResult,
    Status,
    Table,
    errors_first,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.core.address import Address
    from reconciler.core.drift import DriftReport, Finding
    from reconciler.core.state import ActiveOrganization

_CATEGORIES: Final = (
    Category(key=DriftKind.MISSING.value, label="Missing", words="missing"),
    Category(key=DriftKind.CHANGED.value, label="Changed", words="changed"),
    Category(key=DriftKind.UNEXPECTED.value, label="Unexpected", words="unexpected"),
    Category(key=DriftKind.UNDECLARED.value, label="Undeclared", words="undeclared"),
    Category(
        key=DriftKind.UNKNOWN_ORGANIZATION.value,
        label="Unknown organization",
        words="in unknown organizations",
    ),
    Category(key=DriftKind.RISK.value, label="Risk", words="risk"),
    Category(key=DriftKind.FOREIGN_ENDPOINT.value, label="Foreign endpoint", words="foreign endpoint"),
)
_PLURALS: Final = frozenset({DriftKind.RISK.value, DriftKind.FOREIGN_ENDPOINT.value})


def drift_report(report: DriftReport) -> Report:
    """Return the report of drift."""
    unresolved = () if report.secrets_compared else (wording.SECRETS_NOT_COMPARED,)
    kinds = {finding.kind.value for finding in report.findings}
    decisive = wording.decisive_findings(report)
    further = [finding for finding in report.findings if finding.attribute not in SIGN_IN_FIELDS]
    return Report(
        title="Drift",
        verdict=wording.drift_verdict(report),
        status=_status(report),
        is_complete=report.is_complete,
        headlines=tuple(wording.drift_headlines(report)),
        differences=tuple(map(_difference, decisive)),
        guards=wording.guard_lines(report.guards),
        findings=group_findings(errors_first(report.diagnostics), error_word="refused"),
        decisive=tuple(map(_annotation, decisive)),
        decisive_results=tuple(map(_result, decisive)),
        limitations=tuple(wording.drift_limitations(report)),
        remarks=(*wording.since_previous(report), *unresolved),
        diagnostics=(*report.guards, *errors_first(report.diagnostics)),
        table=_table(report.findings),
        news=_news(report),
        columns=("Declared", "Live"),
        categories=tuple(category for category in _CATEGORIES if category.key in kinds),
        groups=tuple(_groups(report.findings)),
        lists=(
            *_finding_list("Resolved", report.resolved),
            *_finding_list("Unchecked by this run", report.unchecked),
            *unmanaged_list(report.unmanaged, "; this is not drift"),
            *_unknown_list(report.unknown_organizations),
            *_accept_list(report.findings),
        ),
        annotations=tuple(_annotation(finding) for finding in _new_first(further)),
        results=tuple(_result(finding) for finding in further),
        origin=Origin(scope=report.scope, commit=report.commit, created_at=report.created_at),
        counters=tuple(_counters(report)),
    )


def _counters(report: DriftReport) -> Iterator[Counter]:
    summary = report.summary
    numbers = {
        DriftKind.MISSING: summary.missing,
        DriftKind.CHANGED: summary.changed,
        DriftKind.UNEXPECTED: summary.unexpected,
        DriftKind.UNDECLARED: summary.undeclared,
        DriftKind.UNKNOWN_ORGANIZATION: summary.unknown_organization,
        DriftKind.RISK: summary.risk,
        DriftKind.FOREIGN_ENDPOINT: summary.foreign_endpoint,
    }
    for category in _CATEGORIES:
        if number := numbers[DriftKind(category.key)]:
            words = f"{category.words}s" if category.key in _PLURALS and number != 1 else category.words
            yield Counter(number=number, words=words, key=category.key)
    if summary.refused:
        yield Counter(number=summary.refused, words="refused", key="refused")
    yield from finding_counters(group_findings(report.diagnostics), "warning", "note")


def _table(findings: Sequence[Finding]) -> Table | None:
    if not findings:
        return None
    rows = tuple(_table_row(finding) for finding in _new_first(findings))
    has_published = any(finding.published for finding in findings)
    values = "Declared, live, published" if has_published else "Declared, live"
    columns = tuple(Column(name=name) for name in ("Connection", "Attribute", values, "Since"))
    return Table(columns=columns, rows=rows, noun="finding")


def _news(report: DriftReport) -> News | None:
    """Return the new findings; without a previous report, none is known to be new."""
    table = _table([finding for finding in report.findings if finding.status is FindingStatus.NEW])
    return News(since=report.previous_at, table=table) if table and report.previous_at else None


def _status(report: DriftReport) -> Status:
    if report.has_errors:
        return Status.BAD
    is_ignoring = any(difference.matters for difference in report.ignored)
    return Status.ATTENTION if report.has_drift or is_ignoring else Status.GOOD


def _new_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.status is not FindingStatus.NEW)


def _table_row(finding: Finding) -> tuple[Cell, ...]:
    """Return the cells of a finding; all its values are in one, since a comment is narrow."""
    address, since = Cell(str(finding.address)), _since_cell(finding)
    if not finding.attribute:
        condition = " ".join(wording.finding_condition(finding))
        identity = finding.connection_id if finding.is_pinned else ""
        known = Cell(identity, finding.display_name, is_foreign=bool(identity or finding.display_name))
        return address, Cell(condition, is_foreign=bool(finding.rule)), known, since
    declared, live, published = (*(value for _, value in wording.finding_sides(finding)), "")[:3]
    return address, Cell(finding.attribute), Cell(declared, live, published), since


def _since_cell(finding: Finding) -> Cell:
    if finding.status is FindingStatus.NEW:
        return Cell("new", is_foreign=False, is_strong=True)
    time = short_time(finding.first_seen)
    if time == finding.first_seen:
        return Cell(time)
    return Cell(time.partition(" ")[0], is_foreign=False)


def _groups(findings: Sequence[Finding]) -> Iterable[Group]:
    by_address = sorted(findings, key=lambda finding: finding.address)
    for organization, group in groupby(by_address, key=lambda finding: finding.address.organization):
        group_findings = tuple(group)
        connections = groupby(group_findings, key=_card_key)
        yield Group(
            organization=organization,
            counts=(count(len(group_findings), "finding"),),
            cards=tuple(_card(tuple(same_connection)) for _, same_connection in connections),
        )


def _card_key(finding: Finding) -> tuple[Address, str, str]:
    """Return what the findings of one card have in common: each risk has a card of its own."""
    return finding.address, finding.kind.value, "" if finding.attribute else finding.fingerprint


def _card(findings: Sequence[Finding]) -> Card:
    first = findings[0]
    return Card(
        address=str(first.address),
        action=first.kind.value,
        intention=wording.finding_condition(first),
        reason="; ".join(filter(None, _card_facts(findings))),
        location=first.location,
        make_rows=cache(lambda: tuple(_row(finding) for finding in findings if finding.attribute)),
        attributes=tuple(finding.attribute for finding in findings if finding.attribute),
    )


def _card_facts(findings: Sequence[Finding]) -> Iterable[str]:
    """Yield what a card says below its heading; each attribute says itself since when it differs."""
    first = findings[0]
    if not first.attribute:
        yield from (_name(first), _since(first))
    yield from dict.fromkeys(map(wording.accept_advice, findings))


def _row(finding: Finding) -> Row:
    (_, declared), (_, live), *published = wording.finding_sides(finding)
    return Row(
        attribute=finding.attribute,
        left=(Line(declared, is_note=finding.is_sensitive or declared == wording.NOT_DECLARED),),
        right=(
            Line(live, is_note=finding.is_sensitive),
            *(Line(f"{side}: {value}", is_note=True) for side, value in published),
            Line(_since(finding), is_note=True),
        ),
    )


def _name(finding: Finding) -> str:
    return wording.finding_name(finding) if finding.display_name else ""


def _since(finding: Finding) -> str:
    return "new" if finding.status is FindingStatus.NEW else f"since {short_time(finding.first_seen)}"


def _finding_list(title: str, findings: Sequence[Finding]) -> tuple[ItemList, ...]:
    if not findings:
        return ()
    items = tuple((wording.finding_subject(finding),) for finding in findings)
    return (ItemList(title=f"{title}: {count(len(items), 'finding')}", items=items, noun="finding"),)


def _accept_list(findings: Sequence[Finding]) -> tuple[ItemList, ...]:
    commands = dict.fromkeys(finding.accept_command for finding in findings if finding.accept_command)
    items = tuple((command,) for command in commands)
    return (ItemList(title=wording.accept_heading(len(items)), items=items, noun="command"),) if items else ()


def _unknown_list(unknown: Sequence[ActiveOrganization]) -> tuple[ItemList, ...]:
    if not unknown:
        return ()
    items = tuple(
        (active.organization.label, connection.display_name or "", connection.connection_id or "")
        for active in unknown
        for connection in active.connections
    )
    title = wording.unknown_heading(len(unknown))
    return (ItemList(title=title, items=items, noun="connection"),)


def _difference(finding: Finding) -> Difference:
    (_, declared), (_, live), *_published = wording.finding_sides(finding)
    return Difference(
        address=str(finding.address),
        attribute=finding.attribute,
        before=declared,
        after=live,
        published=wording.value_text(finding.published) if finding.published else "",
    )


def _annotation(finding: Finding) -> Annotation:
    title = f"{finding.address} {' '.join(wording.finding_condition(finding))}"
    return Annotation(
        level="warning", title=title, message=wording.finding_difference(finding), location=finding.location
    )


def _result(finding: Finding) -> ScanResult:
    """Return a finding as a result; its fingerprint is the report's own, so that its alert stays the same."""
    return ScanResult(
        rule=f"drift-{finding.kind.value}",
        level="warning",
        message=wording.finding_difference(finding),
        subject=str(finding.address),
        location=finding.location,
        fingerprint=finding.fingerprint,
    )
