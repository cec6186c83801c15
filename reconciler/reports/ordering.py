"""Orders the contents of a report by urgency, because a report may be cut."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from reconciler.core.change import Change
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Plan

ACTION_RANK: Final = {Action.DELETE: 0, Action.UPDATE: 1, Action.CREATE: 2, Action.NO_OP: 3}


@dataclass(slots=True)
class OrganizationSummary:
    """What a plan says of one organization, counted; ``reference`` is its name in the manifests."""

    reference: str
    add: int = 0
    change: int = 0
    destroy: int = 0
    errors: int = 0
    warnings: int = 0
    changes: list[Change] = field(default_factory=list)

    @property
    def urgency(self) -> tuple[int, int, int, int]:
        """Errors count most, then destroys, then warnings, then all changes."""
        return self.errors, self.destroy, self.warnings, len(self.changes)


def summarize_organizations(plan: Plan) -> list[OrganizationSummary]:
    """Return the organizations that have a change or a finding, the most urgent first, then by name."""
    summaries: defaultdict[str, OrganizationSummary] = defaultdict(lambda: OrganizationSummary(""))
    for change in plan.changes:
        _count_change(summaries[change.address.organization], change)
    for diagnostic in plan.findings:
        reference = _organization_of(diagnostic.address, summaries)
        if reference:
            _count_diagnostic(summaries[reference], diagnostic)
    for reference, summary in summaries.items():
        summary.reference = reference
    return sorted(
        summaries.values(),
        key=lambda summary: (*(-number for number in summary.urgency), summary.reference),
    )


def urgent_changes(summaries: Iterable[OrganizationSummary]) -> list[Change]:
    """Return all changes: destroys first, then by the urgency of their organization."""
    changes = (change for summary in summaries for change in summary.changes)
    return sorted(changes, key=lambda change: ACTION_RANK[change.action])


def errors_first(diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics, errors first."""
    return tuple(sorted(diagnostics, key=lambda diagnostic: not diagnostic.is_error))


def _organization_of(address: str, known: Collection[str]) -> str:
    """Return the organization that an address names; an external id may hold slashes itself."""
    ends = [index for index, character in enumerate(address) if character == "/"]
    prefixes = (address[:end] for end in (*ends, len(address)))
    return next((prefix for prefix in prefixes if prefix in known), address.partition("/")[0])


def _count_change(summary: OrganizationSummary, change: Change) -> None:
    summary.changes.append(change)
    summary.add += change.action is Action.CREATE
    summary.change += change.action is Action.UPDATE
    summary.destroy += change.action is Action.DELETE


def _count_diagnostic(summary: OrganizationSummary, diagnostic: Diagnostic) -> None:
    summary.errors += diagnostic.is_error
    summary.warnings += not diagnostic.is_error
