"""What a validation found, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.findings_text import validation_verdict
from reconciler.reports.markdown_findings import findings_list
from reconciler.reports.page import Page
from reconciler.reports.plan_markdown import MOST_BYTES
from reconciler.reports.visible import count

if TYPE_CHECKING:
    from reconciler.reports.validated import Validated


def validation_markdown(validated: Validated, *, color: bool = False, most_bytes: int = MOST_BYTES) -> str:
    """Return verdict and findings, errors first, in at most ``most_bytes`` of UTF-8."""
    del color  # Markdown has none; every format takes the same arguments
    page = Page(most_bytes)
    page.write(f"### {'✅' if validated.is_valid else '❌'} {validation_verdict(validated)}")
    page.write(findings_list(validated.diagnostics, page.room(0.9)))
    numbers = ((validated.files, "file"), (validated.organizations, "organization"))
    words = (*(count(*one) for one in numbers), count(validated.connections, "connection"))
    page.write(f"<sub>{', '.join(words)}</sub>")
    return page.text()
