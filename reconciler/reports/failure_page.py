"""A run that ended before there was a result, in the formats that are published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.reports.github_commands import finding_annotation
from reconciler.reports.markdown_findings import findings_list
from reconciler.reports.page import Page
from reconciler.reports.plan_markdown import MOST_BYTES
from reconciler.reports.sarif import result_of, sarif_text
from reconciler.reports.urgency import most_urgent_findings
from reconciler.reports.visible import count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.core.errors import Diagnostic


def _markdown(diagnostics: Sequence[Diagnostic]) -> str:
    page = Page(MOST_BYTES)
    page.write(f"### ❌ {_verdict(diagnostics)}")
    page.write(findings_list(diagnostics, page.room(0.9)))
    return page.text()


def _html(diagnostics: Sequence[Diagnostic]) -> str:
    from reconciler.reports.html import html_text  # noqa: PLC0415 - jinja2 takes long to import
    from reconciler.reports.html_page import HtmlPage, notes_of  # noqa: PLC0415 - goes with it

    notes = notes_of(most_urgent_findings(diagnostics))
    return html_text(HtmlPage(title="Failure", verdict=_verdict(diagnostics), tone="bad", notes=notes))


def _github(diagnostics: Sequence[Diagnostic]) -> str:
    lines = [finding_annotation(found) for found in most_urgent_findings(diagnostics)]
    return "\n".join([*lines, _verdict(diagnostics)]) + "\n"


def _sarif(diagnostics: Sequence[Diagnostic]) -> str:
    return sarif_text(map(result_of, most_urgent_findings(diagnostics)), succeeded=False)


def _verdict(diagnostics: Sequence[Diagnostic]) -> str:
    errors = sum(found.is_error for found in diagnostics)
    return f"Nothing was done: {count(errors, 'error')}."


FAILURE_PAGES: Final[Mapping[str, Callable[[Sequence[Diagnostic]], str]]] = {
    "markdown": _markdown,
    "html": _html,
    "github": _github,
    "sarif": _sarif,
}
"""How a failure is written in each format that is neither text nor JSON."""
