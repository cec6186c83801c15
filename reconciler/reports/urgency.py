"""What a reader must see first, where not everything can be shown."""

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

_ORDER: Final = {Action.DELETE: 0, Action.UPDATE: 1, Action.CREATE: 2, Action.NO_OP: 3}


@dataclass(slots=True)
class Concern:
    """What a plan says of one organization, counted; ``reference`` is its name in the manifests."""

    reference: str
    add: int = 0
    change: int = 0
    destroy: int = 0
    errors: int = 0
    warnings: int = 0
    changes: list[Change] = field(default_factory=list)

    @property
    def weight(self) -> tuple[int, int, int, int]:
        """The heavier, the more urgent: errors, then destroys, then warnings, then all changes."""
        return self.errors, self.destroy, self.warnings, len(self.changes)


def concerns_of(plan: Plan) -> list[Concern]:
    """Return the organizations that have a change or a finding, the most urgent first, then by name."""
    found: defaultdict[str, Concern] = defaultdict(lambda: Concern(""))
    for change in plan.changes:
        _count_change(found[change.address.organization], change)
    for finding in plan.findings:
        reference = _organization_of(finding.address, found)
        if reference:
            _count_finding(found[reference], finding)
    for reference, concern in found.items():
        concern.reference = reference
    return sorted(found.values(), key=lambda one: (*(-number for number in one.weight), one.reference))


def most_urgent_changes(concerns: Iterable[Concern]) -> list[Change]:
    """Return all changes: destroys first, then by the urgency of their organization."""
    changes = (change for concern in concerns for change in concern.changes)
    return sorted(changes, key=lambda one: _ORDER[one.action])


def most_urgent_findings(findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Return the findings, errors first."""
    return sorted(findings, key=lambda one: not one.is_error)


def _organization_of(address: str, known: Collection[str]) -> str:
    """Return the organization that an address names; an external id may hold slashes itself."""
    ends = [index for index, character in enumerate(address) if character == "/"]
    beginnings = (address[:end] for end in (*ends, len(address)))
    return next((one for one in beginnings if one in known), address.partition("/")[0])


def _count_change(concern: Concern, change: Change) -> None:
    concern.changes.append(change)
    concern.add += change.action is Action.CREATE
    concern.change += change.action is Action.UPDATE
    concern.destroy += change.action is Action.DELETE


def _count_finding(concern: Concern, finding: Diagnostic) -> None:
    concern.errors += finding.is_error
    concern.warnings += not finding.is_error
