"""Builds the report of a verification: findings by connection, secrets that expire, and the requests."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from reconciler.core.drift import FindingStatus
from reconciler.core.errors import Severity, count
from reconciler.core.verification import EXPIRY_HORIZON
from reconciler.core.verify_document import verify_summary
from reconciler.reports.escaping import short_time
from reconciler.reports.findings import finding_counters, group_findings, make_group
from reconciler.reports.report import (
    ANNOTATION_LEVELS,
    Annotation,
    Card,
    Category,
    Cell,
    Column,
    Entry,
    Group,
    ItemList,
    News,
    Origin,
    Report,
    ScanResult,
    Section,
    Status,
    Table,
    errors_first,
    full_message,
)
from reconciler.reports.sarif import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.verification import ProviderFinding, SecretExpiry, Verification, VerifiedConnection
    from reconciler.reports.report import FindingGroup, Word

ALL_WELL: Final = "No problems found."
_WELL: Final = "well"
_NOT_ASKED: Final = "not-asked"
_WORDS: Final[Mapping[Severity, Word]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}
_CATEGORIES: Final = (
    Category(key=Severity.ERROR.value, label="Error", words="with errors", rank=0),
    Category(key=Severity.WARNING.value, label="Warning", words="with warnings", rank=1),
    Category(key=Severity.INFO.value, label="Note", words="with notes", rank=2),
    Category(key=_NOT_ASKED, label="Not checked", words="not checked", rank=3),
    Category(key=_WELL, label="OK", words="OK", rank=4),
)
_INTENTIONS: Final = {
    Severity.ERROR.value: ("has findings:", "a login would fail or be unsafe"),
    Severity.WARNING.value: ("has findings:", "a login may fail"),
    Severity.INFO.value: ("has notes", ""),
    _NOT_ASKED: ("was", "not checked"),
    _WELL: ("is", "OK"),
}
_URGENT_DAYS: Final = 7
_MANY: Final = 5
"""Issuers without an answer, above which a proxy may be the reason."""


def verify_report(result: Verification) -> Report:
    """Return the report of a verification."""
    return Report(
        title="Verification",
        verdict=verdict(result),
        status=_status(result),
        is_complete=result.is_complete,
        limitations=tuple(limitations(result)),
        remarks=tuple(since_previous(result)),
        diagnostics=errors_first(result.diagnostics),
        findings=finding_groups(result),
        categories=_CATEGORIES,
        groups=tuple(_groups(result)),
        sections=expiry_sections(result),
        news=_news(result),
        lists=(
            *_finding_list("Resolved", result.resolved),
            *_finding_list("Unchecked by this run", result.unchecked),
            *_asked(result.connections),
        ),
        annotations=tuple(map(_annotation, result.findings)),
        results=tuple(map(_result, result.findings)),
        origin=Origin(scope=result.scope, commit=result.commit, created_at=result.created_at),
        counts=((len(result.connections), "connection"), (result.issuers, "issuer")),
        counters=tuple(finding_counters(finding_groups(result), "error", "refused", "warning", "note")),
    )


def verify_issue_report(result: Verification) -> Report:
    """Return the report for an issue: without the requests, which only the run itself shows."""
    report = verify_report(result)
    asked = tuple(_asked(result.connections))
    lists = tuple(item_list for item_list in report.lists if item_list not in asked)
    return replace(report, lists=lists)


def verdict(result: Verification) -> str:
    """Return the summary sentence."""
    if not result.connections:
        return "No connection was verified: no selected connection is declared, or none could be read."
    numbers = [(result.count(severity), word) for severity, word in _WORDS.items()]
    counts = ", ".join(count(number, word) for number, word in numbers if number)
    checked = count(len(result.connections) - result.not_asked, "connection")
    where = f"Checked {checked} at {count(result.issuers, 'issuer')}"
    if result.is_login:
        where = f"Logged in through {checked}"
    if result.not_asked:
        where += f" ({result.not_asked} not checked)"
    return f"{where}: {counts}." if counts else f"{where}. {ALL_WELL}"


def limitations(result: Verification) -> Iterator[str]:
    """Yield the limits of the result."""
    if result.issuers_not_reached > _MANY:
        yield f"{result.issuers_not_reached} issuers not reached. If you need a proxy, set HTTPS_PROXY."
    if result.uses_proxy:
        yield "A proxy was used: its rules apply to host names that only it can resolve."
    if not result.is_complete:
        yield "The verification is incomplete: see the errors."


def since_previous(result: Verification) -> Iterator[str]:
    """Yield how the result compares with the previous one, if there is one."""
    counts = verify_summary(result)
    if result.previous_at:
        yield (
            f"Since {short_time(result.previous_at)}: {counts.new} new, {counts.known} still there, "
            f"{counts.resolved} resolved."
        )
    if result.unchecked:
        yield f"{count(len(result.unchecked), 'earlier finding')} could not be checked again by this run."


def expiry_sections(result: Verification) -> tuple[Section, ...]:
    """Return the table of secrets that expire within the horizon, soonest first; none if there are none."""
    if not result.expiries:
        return ()
    columns = tuple(Column(name=name) for name in ("Connection", "Expires", "Left", "Known from"))
    rows = tuple(_expiry_row(expiry, result) for expiry in result.expiries)
    later, undated = result.expiries_later, result.secrets_without_date
    counts = (
        f"{later:,} expire later" if later else "",
        f"{count(undated, 'secret')} without a known date" if undated else "",
    )
    return (
        Section(
            title=f"Client secrets that expire within {EXPIRY_HORIZON} days",
            table=Table(columns=columns, rows=rows, noun="secret"),
            note="; ".join(filter(None, counts)),
        ),
    )


def finding_groups(result: Verification) -> tuple[FindingGroup, ...]:
    """Return the findings by severity and code, then those about manifests and organizations."""
    groups: dict[tuple[Severity, str], list[ProviderFinding]] = {}
    for finding in result.findings:
        groups.setdefault((finding.severity, finding.code), []).append(finding)
    return (
        *(
            make_group(
                _WORDS[severity],
                [
                    _entry(finding, since=_since(finding, result), is_alone=len(findings) == 1)
                    for finding in findings
                ],
            )
            for (severity, _), findings in groups.items()
        ),
        *group_findings(errors_first(result.diagnostics), error_word="refused"),
    )


def _entry(finding: ProviderFinding, *, since: str, is_alone: bool) -> Entry:
    """Return an entry; findings that are listed together share one approval hint."""
    hint = finding.hint
    return Entry(
        summary=finding.summary,
        code=finding.code,
        why=finding.detail,
        fix=hint if is_alone else hint.removesuffix(f" (finding {finding.fingerprint})"),
        address=finding.address,
        location=finding.location,
        since=since,
    )


def _since(finding: ProviderFinding, result: Verification) -> str:
    if not result.previous_at:
        return ""
    if finding.status is FindingStatus.NEW:
        return "new"
    time = short_time(finding.first_seen)
    return f"since {time if time == finding.first_seen else time.partition(' ')[0]}"


def _expiry_row(expiry: SecretExpiry, result: Verification) -> tuple[Cell, ...]:
    day = expiry.expires_on
    left = (day - result.today).days if day else -1
    words = "expired" if left < 0 else count(left, "day") if left else "today"
    return (
        Cell(expiry.address),
        Cell(day.isoformat() if day else "unknown", is_foreign=False),
        Cell(words, is_foreign=False, is_strong=left <= _URGENT_DAYS),
        Cell(expiry.origin.value, is_foreign=False),
    )


def _news(result: Verification) -> News | None:
    """Return the new findings that somebody has to act on; nothing without a previous report."""
    new = [item for item in result.findings if item.status is FindingStatus.NEW and item.needs_action]
    if not (new and result.previous_at):
        return None
    columns = tuple(Column(name=name) for name in ("Connection", "Finding", "Severity"))
    rows = tuple(
        (
            Cell(finding.address),
            Cell(finding.summary.removeprefix(f"{finding.address}: ")),
            Cell(finding.severity.value, is_foreign=False, is_strong=finding.is_error),
        )
        for finding in new
    )
    return News(since=result.previous_at, table=Table(columns=columns, rows=rows, noun="finding"))


def _finding_list(title: str, findings: Sequence[ProviderFinding]) -> tuple[ItemList, ...]:
    if not findings:
        return ()
    items = tuple((f"{finding.summary} [{finding.code}]",) for finding in findings)
    return (ItemList(title=f"{title}: {count(len(items), 'finding')}", items=items, noun="finding"),)


def _status(result: Verification) -> Status:
    if result.has_errors:
        return Status.BAD
    if result.count(Severity.WARNING) or result.diagnostics:
        return Status.WARNED
    return Status.GOOD


def _groups(result: Verification) -> Iterator[Group]:
    findings: dict[str, list[Diagnostic]] = {}
    for finding in result.findings:
        findings.setdefault(finding.address, []).append(finding)
    for organization, group in groupby(result.connections, key=_organization):
        cards = tuple(_card(connection, findings.get(connection.address, ())) for connection in group)
        number = sum(len(findings.get(card.address, ())) for card in cards)
        yield Group(organization=organization, counts=(count(number, "finding"),), cards=cards)


def _organization(connection: VerifiedConnection) -> str:
    return connection.address.partition("/")[0]


def _card(connection: VerifiedConnection, findings: Sequence[Diagnostic]) -> Card:
    severities = {finding.severity for finding in findings}
    action = next((severity.value for severity in Severity if severity in severities), _WELL)
    action = _NOT_ASKED if connection.not_asked else action
    return Card(
        address=connection.address,
        action=action,
        intention=_INTENTIONS[action],
        note=connection.issuer,
        location=connection.location,
    )


def _asked(connections: Iterable[VerifiedConnection]) -> Iterator[ItemList]:
    items = tuple(
        (connection.address, f"{exchange.purpose}: {exchange.outcome}", *exchange.redirects, exchange.url)
        for connection in connections
        for exchange in connection.exchanges
    )
    if items:
        yield ItemList(title=f"Requests: {count(len(items), 'request')}", items=items, noun="request")


def _annotation(finding: Diagnostic) -> Annotation:
    return Annotation(
        level=ANNOTATION_LEVELS[finding.severity],
        title=f"{finding.address} {finding.code}",
        message=full_message(finding),
        location=finding.location,
    )


def _result(finding: Diagnostic) -> ScanResult:
    """Return a finding as a result; its fingerprint keeps its alert the same from run to run."""
    return ScanResult(
        rule=finding.code,
        level=LEVELS[finding.severity],
        message=full_message(finding),
        subject=finding.address,
        location=finding.location,
        fingerprint=finding.fingerprint,
    )
