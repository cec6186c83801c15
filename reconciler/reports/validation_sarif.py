"""What a validation found, as SARIF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.sarif import result_of, sarif_text
from reconciler.reports.urgency import most_urgent_findings

if TYPE_CHECKING:
    from reconciler.reports.validated import Validated


def validation_sarif(validated: Validated, *, color: bool = False) -> str:
    """Return every finding, errors first."""
    del color  # JSON has none; every format takes the same arguments
    return sarif_text(map(result_of, most_urgent_findings(validated.diagnostics)), succeeded=True)
