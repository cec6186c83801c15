"""What a validation found, as an HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.findings_text import validation_verdict
from reconciler.reports.html import html_text
from reconciler.reports.html_page import HtmlPage, notes_of
from reconciler.reports.urgency import most_urgent_findings

if TYPE_CHECKING:
    from reconciler.reports.validated import Validated


def validation_html(validated: Validated, *, color: bool = False) -> str:
    """Return every finding, errors first, as one HTML file."""
    del color  # a page chooses its own; every format takes the same arguments
    numbers = (
        ("Files", validated.files),
        ("Organizations", validated.organizations),
        ("Connections", validated.connections),
    )
    page = HtmlPage(
        title="Validation",
        verdict=validation_verdict(validated),
        tone=("attention" if validated.diagnostics else "good") if validated.is_valid else "bad",
        notes=notes_of(most_urgent_findings(validated.diagnostics)),
        facts=tuple((name, f"{number:,}") for name, number in numbers),
    )
    return html_text(page)
