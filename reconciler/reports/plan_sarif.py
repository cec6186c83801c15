"""The findings of a plan, and what it destroys, as SARIF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Delete
from reconciler.reports.plan_words import participle, reason
from reconciler.reports.sarif import Result, result_of, sarif_text
from reconciler.reports.urgency import most_urgent_findings

if TYPE_CHECKING:
    from reconciler.core.plan import Plan


def plan_sarif(plan: Plan, *, color: bool = False) -> str:
    """Return findings and destroys; what is created or updated is intended, and no finding."""
    del color  # JSON has none; every format takes the same arguments
    results = [result_of(found) for found in most_urgent_findings(plan.findings)]
    results += [_destroy(change) for change in plan.changes if isinstance(change, Delete)]
    return sarif_text(results, succeeded=plan.is_complete)


def _destroy(change: Delete) -> Result:
    return Result(
        rule="planned-destroy",
        level="note",
        message=f"{change.address} will be {participle(change.action)} {reason(change)}",
        subject=str(change.address),
        location=change.location,
    )
