"""The drift report as SARIF; its fingerprints are the report's own, so that alerts live on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.drift_words import difference
from reconciler.reports.sarif import Result, result_of, sarif_text
from reconciler.reports.urgency import most_urgent_findings

if TYPE_CHECKING:
    from reconciler.core.drift import DriftReport, Finding


def drift_sarif(report: DriftReport, *, color: bool = False) -> str:
    """Return diagnostics and findings."""
    del color  # JSON has none; every format takes the same arguments
    results = [result_of(found) for found in most_urgent_findings(report.diagnostics)]
    results += [_result(one) for one in report.findings]
    return sarif_text(results, succeeded=report.is_complete)


def _result(one: Finding) -> Result:
    return Result(
        rule=f"drift-{one.kind.value}",
        level="warning",
        message=difference(one),
        subject=str(one.address),
        location=one.location,
        fingerprint=one.fingerprint,
    )
