"""What a validation found, as GitHub annotations on the manifests' lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.findings_text import validation_verdict
from reconciler.reports.github_commands import finding_annotation, ordinary_line
from reconciler.reports.urgency import most_urgent_findings

if TYPE_CHECKING:
    from reconciler.reports.validated import Validated


def validation_github(validated: Validated, *, color: bool = False) -> str:
    """Return one command per finding, errors first, then the verdict as a line of the log."""
    del color  # commands have none; every format takes the same arguments
    lines = [finding_annotation(found) for found in most_urgent_findings(validated.diagnostics)]
    return "\n".join([*lines, ordinary_line(validation_verdict(validated))]) + "\n"
