"""Drift: what a plan says of the live side, finding by finding, held against an earlier report.

The same planner answers; only the question is another one: not "what would be done" but "what is
not as declared, and since when".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from reconciler.core.change import Create, Delete, Update
from reconciler.core.connection import SENSITIVE_FIELDS
from reconciler.core.errors import ReportRefused
from reconciler.core.run_selection import ALL
from reconciler.core.warnings import NOT_COMPARABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.address import Address
    from reconciler.core.change import Change, Value
    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.plan import Plan, Scope, Unmanaged
    from reconciler.core.run_selection import RunSelection


class DriftKind(StrEnum):
    """How what is live departs from what is declared."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"


class FindingStatus(StrEnum):
    """How a finding relates to the previous report.

    ``unchecked`` is one of the previous report that this run could not, or was not asked to, look at.
    """

    NEW = "new"
    EXISTING = "known"
    RESOLVED = "resolved"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One departure: a connection that is missing or unexpected, or one attribute that differs.

    ``attribute`` is empty unless something changed; a sensitive attribute has no values here.
    ``connection_id`` of a missing connection is what an interrupted create left behind, if anything.
    ``first_seen`` is RFC 3339, in UTC.
    """

    address: Address
    organization_id: str
    kind: DriftKind
    connection_id: str = ""
    attribute: str = ""
    declared: Value | None = None
    live: Value | None = None
    location: SourceLocation | None = None
    status: FindingStatus = FindingStatus.NEW
    first_seen: str = ""

    @property
    def is_sensitive(self) -> bool:
        """Whether the values must not be shown; they are not here either."""
        return self.attribute in SENSITIVE_FIELDS

    @property
    def fingerprint(self) -> str:
        """What stays the same as long as the finding does: a digest of address, kind and attribute."""
        identity = f"{self.address}\0{self.kind}\0{self.attribute}"
        return "sha256:" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSummary:
    """The counts of a report, of findings except for ``organizations``, ``refused`` and ``unmanaged``."""

    missing: int = 0
    changed: int = 0
    unexpected: int = 0
    new: int = 0
    known: int = 0
    resolved: int = 0
    unchecked: int = 0
    organizations: int = 0
    refused: int = 0
    unmanaged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What differs now, what no longer does, and what this run cannot speak of."""

    scope: Scope
    created_at: str
    commit: str = ""
    findings: tuple[Finding, ...] = ()
    resolved: tuple[Finding, ...] = ()
    unchecked: tuple[Finding, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    organizations: int = 0
    refused: int = 0
    secrets_compared: bool = True
    previous_at: str = ""

    @property
    def has_drift(self) -> bool:
        """Whether anything that was looked at is not as declared."""
        return bool(self.findings)

    @property
    def is_complete(self) -> bool:
        """Whether every organization that was asked for could be looked at."""
        return self.refused == 0

    @property
    def has_errors(self) -> bool:
        """Whether the report leaves anything out."""
        return not self.is_complete or any(found.is_error for found in self.diagnostics)

    @property
    def summary(self) -> DriftSummary:
        """The counts."""
        kinds = [one.kind for one in self.findings]
        statuses = [one.status for one in self.findings]
        return DriftSummary(
            missing=kinds.count(DriftKind.MISSING),
            changed=kinds.count(DriftKind.CHANGED),
            unexpected=kinds.count(DriftKind.UNEXPECTED),
            new=statuses.count(FindingStatus.NEW),
            known=statuses.count(FindingStatus.EXISTING),
            resolved=len(self.resolved),
            unchecked=len(self.unchecked),
            organizations=self.organizations,
            refused=self.refused,
            unmanaged=len(self.unmanaged),
        )


def find_drift(plan: Plan, previous: DriftReport | None = None, selection: RunSelection = ALL) -> DriftReport:
    """Return what the plan finds different.

    Limits on deletes do not matter here: nothing is going to be applied.

    Raises:
        ReportRefused: the previous report is of another project.
    """
    earlier = _by_fingerprint(plan, previous)
    findings = tuple(
        _since(one, earlier.pop(one.fingerprint, None), plan.created_at)
        for change in plan.changes
        for one in _findings(change)
    )
    skipped = NotChecked(plan, selection)
    gone = sorted(earlier.values(), key=lambda one: (one.address, one.attribute))
    return DriftReport(
        scope=plan.scope,
        created_at=plan.created_at,
        commit=plan.commit,
        findings=findings,
        resolved=tuple(
            replace(one, status=FindingStatus.RESOLVED) for one in gone if not skipped.includes(one)
        ),
        unchecked=tuple(
            replace(one, status=FindingStatus.UNCHECKED) for one in gone if skipped.includes(one)
        ),
        unmanaged=plan.unmanaged,
        diagnostics=plan.diagnostics,
        organizations=plan.summary.organizations,
        refused=plan.summary.refused,
        secrets_compared=plan.secrets_compared,
        previous_at=previous.created_at if previous else "",
    )


class NotChecked:
    """What a plan did not check: addresses outside the run, refused organizations, secrets not compared."""

    def __init__(self, plan: Plan, selection: RunSelection) -> None:
        self._selection = selection
        self._secrets_compared = plan.secrets_compared
        self._refused = {found.address.partition("/")[0] for found in plan.diagnostics if found.is_error}
        self._masked = {found.address for found in plan.diagnostics if found.code == NOT_COMPARABLE}

    def includes(self, finding: Finding) -> bool:
        """Tell whether the plan says nothing of an earlier finding."""
        if not self._selection.includes(finding.address) or finding.address.organization in self._refused:
            return True
        is_masked = not self._secrets_compared or str(finding.address) in self._masked
        return finding.is_sensitive and is_masked


def _by_fingerprint(plan: Plan, previous: DriftReport | None) -> dict[str, Finding]:
    if previous is None:
        return {}
    if previous.scope.principal != plan.scope.principal:
        raise ReportRefused(
            f"the previous drift report is of project {previous.scope.principal}, this run is for "
            f"{plan.scope.principal}: compare with a report of this project, or with none"
        )
    return {one.fingerprint: one for one in (*previous.unchecked, *previous.findings)}


def _since(finding: Finding, earlier: Finding | None, now: str) -> Finding:
    if earlier is None:
        return replace(finding, status=FindingStatus.NEW, first_seen=now)
    return replace(finding, status=FindingStatus.EXISTING, first_seen=earlier.first_seen)


def _findings(change: Change) -> Iterator[Finding]:
    match change:
        case Create():
            orphan = (change.resumes.connection_id or "") if change.resumes else ""
            yield _finding(change, DriftKind.MISSING, orphan)
        case Delete():
            yield _finding(change, DriftKind.UNEXPECTED, change.before.connection_id or "")
        case Update():
            for name in change.changed:
                yield _differing(change, name)
        case _:
            assert_never(change)


def _finding(change: Change, kind: DriftKind, connection_id: str) -> Finding:
    return Finding(
        address=change.address,
        organization_id=change.organization_id,
        kind=kind,
        connection_id=connection_id,
        location=change.location,
    )


def _differing(change: Update, name: str) -> Finding:
    finding = replace(
        _finding(change, DriftKind.CHANGED, change.before.connection_id or ""),
        attribute=name,
    )
    if finding.is_sensitive:
        return finding
    return replace(finding, declared=getattr(change.declared, name), live=getattr(change.before, name))
