"""The plan as GitHub annotations on the manifests' lines, the most urgent first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Action, Update
from reconciler.reports.github_commands import annotation, finding_annotation, ordinary_line
from reconciler.reports.plan_words import participle, reason, shortcomings, verdict
from reconciler.reports.urgency import concerns_of, most_urgent_changes, most_urgent_findings

if TYPE_CHECKING:
    from reconciler.core.change import Change
    from reconciler.core.plan import Plan


def plan_github(plan: Plan, *, color: bool = False) -> str:
    """Return one command per finding and per change, then the verdict as a line of the log.

    GitHub shows ten annotations of each level in a step, so the order matters.
    """
    del color  # commands have none; every format takes the same arguments
    lines = [finding_annotation(found) for found in most_urgent_findings(plan.findings)]
    lines += [_annotation(change) for change in most_urgent_changes(concerns_of(plan))]
    lines += [ordinary_line(words) for words in (verdict(plan), *shortcomings(plan))]
    return "\n".join(lines) + "\n"


def _annotation(change: Change) -> str:
    """Return a destroy as a warning, since nothing brings a connection's id back; others as a notice."""
    level = "warning" if change.action is Action.DELETE else "notice"
    title = f"{change.address} will be {participle(change.action)}"
    what = f"changes: {', '.join(change.changed)}" if isinstance(change, Update) else reason(change)
    return annotation(level, title, what or title, change.location)
