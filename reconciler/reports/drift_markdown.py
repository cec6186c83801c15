"""The drift report as an issue or comment: verdict, what is new, one table of all that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.drift import FindingStatus
from reconciler.reports.drift_words import (
    condition,
    drift_shortcomings,
    drift_verdict,
    side_text,
    since_previous,
    subject,
)
from reconciler.reports.markdown import code, folded, origin
from reconciler.reports.markdown_findings import findings_list, more
from reconciler.reports.page import Page, as_many_as_fit
from reconciler.reports.plan_markdown import MOST_BYTES, unmanaged_list
from reconciler.reports.visible import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.drift import DriftReport, Finding

_RESERVE: Final = 1_000
"""Bytes kept for the lines that say what is left out."""

_COLUMNS: Final = "| Connection | Attribute | Declared | Live | Since |\n|---|---|---|---|---|"


def drift_markdown(report: DriftReport, *, color: bool = False, most_bytes: int = MOST_BYTES) -> str:
    """Return the report in GitHub-flavoured Markdown, at most ``most_bytes`` of UTF-8; new findings first."""
    del color  # Markdown has none; every format takes the same arguments
    page = Page(most_bytes - _RESERVE)
    page.write(f"### {_icon(report)} {drift_verdict(report)}")
    page.write("\n".join(_remarks(report)))
    page.write(findings_list(report.diagnostics, page.room(0.3)))
    page.write(_table(report.findings, page.room(0.8)))
    page.write(_list("Resolved", report.resolved, page.room(0.4)))
    page.write(_list("Unchecked by this run", report.unchecked, page.room(0.4)))
    if report.unmanaged:
        page.write(unmanaged_list(report.unmanaged, page.room(0.5)))
    page.most_bytes += _RESERVE
    page.write(origin(report.scope, report.commit, report.created_at))
    return page.text()


def drift_news(report: DriftReport, most_bytes: int = MOST_BYTES) -> str:
    """Return what is new since the previous report, or nothing if that cannot be said or is nothing."""
    new = [one for one in report.findings if one.status is FindingStatus.NEW]
    if not new or not report.previous_at:
        return ""
    page = Page(most_bytes)
    page.write(f"**New since** {code(report.previous_at)}: {count(len(new), 'finding')}")
    page.write(_table(new, page.room(0.9)))
    return page.text()


def _icon(report: DriftReport) -> str:
    if report.has_errors:
        return "❌"
    return "⚠️" if report.has_drift else "✅"


def _remarks(report: DriftReport) -> Iterator[str]:
    remarks = [*drift_shortcomings(report), *since_previous(report)]
    if not report.secrets_compared:
        remarks.append("Secrets: not resolved and not compared.")
    if remarks:
        yield "> [!CAUTION]" if report.has_errors else "> [!NOTE]"
        yield "> " + "<br>".join(remarks)


def _table(findings: Sequence[Finding], most_bytes: int) -> str:
    if not findings:
        return ""
    new_first = sorted(findings, key=lambda one: one.status is not FindingStatus.NEW)
    shown, left = as_many_as_fit(new_first, _row, most_bytes)
    table = "\n".join([_COLUMNS, *shown])
    return f"{table}\n\n… {more(len(left), 'finding')}." if left else table


def _row(one: Finding) -> str:
    since = "**new**" if one.status is FindingStatus.NEW else code(one.first_seen)
    cells = (code(one.attribute), code(side_text(one, one.declared)), code(side_text(one, one.live)))
    if not one.attribute:
        cells = (" ".join(condition(one)), "", "")
    return f"| {' | '.join((code(str(one.address)), *cells, since))} |"


def _list(title: str, findings: Sequence[Finding], most_bytes: int) -> str:
    if not findings:
        return ""
    shown, left = as_many_as_fit(findings, lambda one: f"- {code(subject(one))}", most_bytes)
    if left:
        shown.append(f"- … {more(len(left), 'finding')}")
    return folded(f"{title}: {count(len(findings), 'finding')}", "\n".join(shown))
