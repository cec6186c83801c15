"""Drift: the differences between live and declared state, compared with an earlier report.

Drift is read from a plan, so `plan` and `drift` cannot disagree. The plan says what would be done; the
report says what differs, and since when.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from reconciler.core.change import Create, DefaultChange, Delete, Update
from reconciler.core.connection import SENSITIVE_FIELDS
from reconciler.core.errors import ReportRefused, shell_operand
from reconciler.core.run_selection import ALL
from reconciler.core.warnings import NOT_COMPARABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.core.address import Address
    from reconciler.core.change import Change, Value
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.plan import IgnoredDifference, Plan, Scope, Unmanaged
    from reconciler.core.run_selection import RunSelection
    from reconciler.core.state import ActiveOrganization


DEFAULT_ATTRIBUTE: Final = "default_connection"
"""The attribute of a finding about an organization's default connection."""


class DriftKind(StrEnum):
    """How the live state differs from what is declared."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    UNDECLARED = "undeclared"
    UNKNOWN_ORGANIZATION = "unknown-organization"
    RISK = "risk"
    FOREIGN_ENDPOINT = "foreign-endpoint"


class FindingStatus(StrEnum):
    """How a finding relates to the previous report.

    ``new``: that report did not have it, or with another live value.
    ``unchecked``: a finding of the previous report that is outside this run's selection, or that this
    run could not check.
    """

    NEW = "new"
    EXISTING = "known"
    RESOLVED = "resolved"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference: a connection that is missing or should not be there, or one attribute that differs.

    Or a risk in a live value: then ``rule`` is the rule that found it, and ``summary`` says what it found.
    ``attribute`` is empty unless the kind is ``changed`` or ``foreign-endpoint``; a sensitive attribute has
    no values here. ``published`` is the URL in the issuer's own metadata, where a run could fetch it.
    ``connection_id`` of a missing connection is its pin, or what an interrupted create left behind;
    ``is_pinned`` tells which. ``display_name`` is that of a live connection that is not declared.
    ``first_seen`` is RFC 3339, in UTC.
    """

    address: Address
    organization_id: str
    kind: DriftKind
    connection_id: str = ""
    display_name: str = ""
    is_pinned: bool = False
    attribute: str = ""
    rule: str = ""
    summary: str = ""
    declared: Value | None = None
    live: Value | None = None
    published: str = ""
    location: SourceLocation | None = None
    status: FindingStatus = FindingStatus.NEW
    first_seen: str = ""

    @property
    def is_sensitive(self) -> bool:
        """Whether the attribute is secret; then its values are not here."""
        return self.attribute in SENSITIVE_FIELDS

    @property
    def accept_command(self) -> str:
        """The command that takes what is live into Git, as a shell reads it; empty where there is none."""
        if self.status in {FindingStatus.RESOLVED, FindingStatus.UNCHECKED}:
            return ""
        word = shell_operand(self.address.pattern)
        match self.kind:
            case DriftKind.CHANGED if not self.is_sensitive and self.attribute != DEFAULT_ATTRIBUTE:
                return f"reconciler import --update {word}"
            case DriftKind.UNDECLARED:
                return f"reconciler import --add {word}"
            case DriftKind.UNKNOWN_ORGANIZATION:
                word = shell_operand(self.address.organization)
                return f"reconciler import {word}"
            case _:
                return ""

    @property
    def fingerprint(self) -> str:
        """A digest of address, kind and attribute or risk, which identifies the finding across reports."""
        risk = f"{self.rule}\0{self.summary}" if self.kind is DriftKind.RISK else self.attribute
        identity = f"{self.address}\0{self.kind}\0{risk}"
        return "sha256:" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSummary:
    """The counts of a report, of findings except for ``organizations``, ``refused`` and ``unmanaged``."""

    missing: int = 0
    changed: int = 0
    unexpected: int = 0
    undeclared: int = 0
    unknown_organization: int = 0
    risk: int = 0
    foreign_endpoint: int = 0
    new: int = 0
    known: int = 0
    resolved: int = 0
    unchecked: int = 0
    organizations: int = 0
    refused: int = 0
    unmanaged: int = 0
    ignored_differences: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedEndpoint:
    """A live endpoint in another trust domain than its issuer, which the issuer's own metadata names."""

    address: Address
    attribute: str
    issuer: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What `drift` has seen beyond a plan: further findings, and what is shown without being drift.

    ``unknown_organizations`` have active connections, and no manifest names them;
    ``unknown_checked``: the run could tell which these are. ``published`` has the URL in the issuer's own
    metadata for each endpoint of a live connection, by address and attribute; None where there is none.
    """

    findings: tuple[Finding, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    unknown_organizations: tuple[ActiveOrganization, ...] = ()
    unknown_checked: bool = True
    published: Mapping[tuple[Address, str], str | None] = field(default_factory=dict)
    confirmed: tuple[ConfirmedEndpoint, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What differs now, what no longer differs, and what this run did not check.

    ``guards`` are those that the change since the base lowers; none without a base. ``confirmed`` lets the
    next run judge endpoints as this one did, if it cannot reach their identity provider.
    """

    scope: Scope
    created_at: str
    commit: str = ""
    findings: tuple[Finding, ...] = ()
    resolved: tuple[Finding, ...] = ()
    unchecked: tuple[Finding, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    unknown_organizations: tuple[ActiveOrganization, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    organizations: int = 0
    refused: int = 0
    secrets_compared: bool = True
    previous_at: str = ""
    guards: tuple[Diagnostic, ...] = ()
    confirmed: tuple[ConfirmedEndpoint, ...] = ()
    ignored: tuple[IgnoredDifference, ...] = ()

    @property
    def has_drift(self) -> bool:
        """Whether anything that was checked differs."""
        return bool(self.findings)

    @property
    def is_complete(self) -> bool:
        """Whether everything that the run covers could be checked."""
        return self.refused == 0 and not any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def has_errors(self) -> bool:
        """Whether anything could not be checked."""
        return not self.is_complete

    @property
    def has_seen_nothing(self) -> bool:
        """Whether no organization at all could be compared, though some were selected."""
        return 0 < self.organizations <= self.refused and not self.findings

    @property
    def summary(self) -> DriftSummary:
        """The counts."""
        kinds = [finding.kind for finding in self.findings]
        statuses = [finding.status for finding in self.findings]
        return DriftSummary(
            missing=kinds.count(DriftKind.MISSING),
            changed=kinds.count(DriftKind.CHANGED),
            unexpected=kinds.count(DriftKind.UNEXPECTED),
            undeclared=kinds.count(DriftKind.UNDECLARED),
            unknown_organization=kinds.count(DriftKind.UNKNOWN_ORGANIZATION),
            risk=kinds.count(DriftKind.RISK),
            foreign_endpoint=kinds.count(DriftKind.FOREIGN_ENDPOINT),
            new=statuses.count(FindingStatus.NEW),
            known=statuses.count(FindingStatus.EXISTING),
            resolved=len(self.resolved),
            unchecked=len(self.unchecked),
            organizations=self.organizations,
            refused=self.refused,
            unmanaged=len(self.unmanaged),
            ignored_differences=sum(len(difference.attributes) for difference in self.ignored),
        )


def find_drift(
    plan: Plan,
    previous: DriftReport | None = None,
    selection: RunSelection = ALL,
    observed: Observations | None = None,
) -> DriftReport:
    """Return the drift that a plan shows, and what was observed beyond it.

    Limits on deletes do not matter here: nothing is applied.

    Raises:
        ReportRefused: the previous report is of another project.
    """
    earlier = _by_fingerprint(plan, previous)
    observed = observed or Observations(unmanaged=plan.unmanaged)
    findings = tuple(
        _with_first_seen(finding, earlier.pop(finding.fingerprint, None), plan.created_at)
        for finding in (*_with_published(_planned(plan), observed), *observed.findings)
    )
    gone = sorted(earlier.values(), key=lambda finding: (finding.address, finding.attribute))
    is_checked = _checked_by(plan, selection, observed)
    resolved = [finding for finding in gone if is_checked(finding)]
    unchecked = [finding for finding in gone if not is_checked(finding)]
    return DriftReport(
        scope=plan.scope,
        created_at=plan.created_at,
        commit=plan.commit,
        findings=findings,
        resolved=tuple(replace(finding, status=FindingStatus.RESOLVED) for finding in resolved),
        unchecked=tuple(replace(finding, status=FindingStatus.UNCHECKED) for finding in unchecked),
        unmanaged=observed.unmanaged,
        unknown_organizations=observed.unknown_organizations,
        diagnostics=(*plan.diagnostics, *observed.diagnostics),
        organizations=plan.summary.organizations,
        refused=plan.summary.refused,
        secrets_compared=plan.secrets_compared,
        guards=plan.guards or (),
        confirmed=(*observed.confirmed, *_still_confirmed(plan, previous)),
        ignored=plan.ignored,
        previous_at=previous.created_at if previous else "",
    )


def _checked_by(plan: Plan, selection: RunSelection, observed: Observations) -> Callable[[Finding], bool]:
    """Return what tells whether a run checked an earlier finding.

    It did not if the address was not selected, its organization is refused, its secret was not compared,
    unknown organizations were not looked for, or the identity provider's metadata could not be had.
    """
    refused = {error.address.partition("/")[0] for error in plan.diagnostics if error.is_error}
    refused |= {*plan.refused_organizations}
    masked = {warning.address for warning in plan.diagnostics if warning.code == NOT_COMPARABLE}

    def is_checked(finding: Finding) -> bool:
        address = finding.address
        if not selection.includes(address) or address.organization in refused:
            return False
        if finding.kind is DriftKind.UNKNOWN_ORGANIZATION:
            return observed.unknown_checked
        if finding.kind is DriftKind.FOREIGN_ENDPOINT:
            return _is_published(finding, observed)
        if finding.published and finding.declared == finding.published:
            return _is_published(finding, observed)  # the metadata counted as declared
        return not finding.is_sensitive or (plan.secrets_compared and str(address) not in masked)

    return is_checked


def _is_published(finding: Finding, observed: Observations) -> bool:
    """Tell whether a live endpoint could be compared with the issuer's metadata, or is no longer there."""
    return observed.published.get((finding.address, finding.attribute), "") is not None


def _still_confirmed(plan: Plan, previous: DriftReport | None) -> Iterator[ConfirmedEndpoint]:
    """Yield what the previous report confirmed of connections that this run did not look at."""
    covered = {managed.address for managed in plan.live}
    yield from (item for item in (previous.confirmed if previous else ()) if item.address not in covered)


def _by_fingerprint(plan: Plan, previous: DriftReport | None) -> dict[str, Finding]:
    if previous is None:
        return {}
    if previous.scope.principal != plan.scope.principal:
        raise ReportRefused(
            f"the previous drift report is of project {previous.scope.principal}, this run is for "
            f"{plan.scope.principal}: compare with a report of this project, or with none"
        )
    return {finding.fingerprint: finding for finding in (*previous.unchecked, *previous.findings)}


def _with_first_seen(finding: Finding, earlier: Finding | None, now: str) -> Finding:
    """Return the finding with its status: one whose live value was edited again is new."""
    if earlier is None or earlier.live != finding.live:
        return replace(finding, status=FindingStatus.NEW, first_seen=now)
    return replace(finding, status=FindingStatus.EXISTING, first_seen=earlier.first_seen)


def _with_published(findings: Iterable[Finding], observed: Observations) -> Iterator[Finding]:
    """Yield the findings; an endpoint that differs from what is declared has the published URL beside it."""
    for finding in findings:
        yield replace(finding, published=observed.published.get((finding.address, finding.attribute)) or "")


def _planned(plan: Plan) -> Iterator[Finding]:
    """Yield what a plan shows, first what is missing."""
    for missing in plan.missing:
        yield Finding(
            address=missing.address,
            organization_id=missing.organization_id,
            kind=DriftKind.MISSING,
            connection_id=missing.connection_id,
            is_pinned=True,
            location=missing.location,
        )
    for change in plan.changes:
        yield from _findings(change)


def _findings(change: Change) -> Iterator[Finding]:
    match change:
        case Create():
            yield _finding(change, DriftKind.MISSING, change.resumes)
        case Delete():
            yield _finding(change, DriftKind.UNEXPECTED, change.before)
        case Update():
            for name in change.changed:
                yield _changed(change, name)
        case DefaultChange():
            yield replace(
                _finding(change, DriftKind.CHANGED, None),
                attribute=DEFAULT_ATTRIBUTE,
                connection_id=change.before_id,
                declared=change.display_name,
                live=change.before_name or change.before_id,
            )
        case _:
            assert_never(change)


def _changed(change: Update, name: str) -> Finding:
    finding = replace(_finding(change, DriftKind.CHANGED, change.before), attribute=name)
    if finding.is_sensitive:
        return finding
    return replace(finding, declared=getattr(change.declared, name), live=getattr(change.before, name))


def _finding(change: Change, kind: DriftKind, live: OidcConnection | None) -> Finding:
    return Finding(
        address=change.address,
        organization_id=change.organization_id,
        kind=kind,
        connection_id=(live.connection_id or "") if live else "",
        location=change.location,
    )
