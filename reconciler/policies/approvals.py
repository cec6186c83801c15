"""Applies the approvals in Git to the risks of plans and live values, and to deletes beyond the limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.core.approval import ApprovalStatus, ApprovalUse
from reconciler.core.change import Create
from reconciler.core.drift import DriftKind, Finding
from reconciler.core.errors import Diagnostic, Severity
from reconciler.policies.assess import assess, unknown_rule
from reconciler.policies.estate import Estate, clients_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date

    from reconciler.core.address import Address
    from reconciler.core.approval import Approval
    from reconciler.core.codes import Code
    from reconciler.core.drift import ConfirmedEndpoint
    from reconciler.core.plan import Managed, PlanSummary
    from reconciler.core.run_selection import Limits


MAX_DAYS: Final = 180
EXPIRED: Final = "approval-expired"
NOT_NEEDED: Final = "approval-not-needed"
NOT_DECLARED: Final = "approval-not-declared"
DELETES_APPROVED: Final = "deletes-approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approvals of a run. ``today`` is the date in UTC; errors have been taken out."""

    approvals: tuple[Approval, ...] = ()
    today: date | None = None

    @property
    def valid(self) -> tuple[Approval, ...]:
        """Those whose last day is not over."""
        return tuple(approval for approval in self.approvals if not self.is_expired(approval))

    def is_expired(self, approval: Approval) -> bool:
        """Whether the last day of an approval is over."""
        return self.today is not None and approval.is_expired(self.today)

    def for_risk(self, risk: Diagnostic) -> Approval | None:
        """Return the approval of a finding, if there is one."""
        return next((approval for approval in self.valid if _approves(approval, risk)), None)

    def for_deletes(self, summary: PlanSummary, limits: Limits) -> Approval | None:
        """Return the smallest approval of the deletes that exceed the limits, if there is one."""
        excess = summary.destroy - limits.deletes_allowed(summary.managed)
        sufficient = [approval for approval in self.valid if approval.deletes >= excess > 0]
        return min(sufficient, key=lambda approval: approval.deletes, default=None)


def check_approvals(
    approvals: Sequence[Approval], known_rules: Collection[str], today: date | None
) -> tuple[tuple[Approval, ...], tuple[Diagnostic, ...]]:
    """Return the approvals that may be used, and what is wrong with the others."""
    usable: dict[object, Approval] = {}
    errors: list[Diagnostic] = []
    for approval in approvals:
        error = _error(approval, known_rules, today)
        if error is None:
            first = usable.setdefault(_key(approval), approval)
            error = _duplicate(approval, first) if first is not approval else None
        if error is not None:
            errors.append(error)
    return tuple(usable.values()), tuple(errors)


def undeclared_addresses(approvals: Iterable[Approval], declared: Collection[str]) -> tuple[Diagnostic, ...]:
    """Return a warning for each approval of an address that no manifest declares."""
    return tuple(
        _remark(
            approval,
            NOT_DECLARED,
            f"an approval names {approval.address}, which no manifest declares",
            "correct the address, or remove the approval",
        )
        for approval in approvals
        if approval.address and approval.address not in declared
    )


def approve_risks(risks: Iterable[Diagnostic], approvals: Approvals) -> tuple[Diagnostic, ...]:
    """Return the risks, the approved ones as warnings that name their approval."""
    judged = []
    for risk in risks:
        approval = approvals.for_risk(risk)
        judged.append(replace(risk, severity=Severity.WARNING, hint=approval.evidence) if approval else risk)
    return tuple(sorted(judged, key=lambda risk: not risk.is_error))


def deletes_approved(approval: Approval, summary: PlanSummary, limits: Limits) -> Diagnostic:
    """Return the warning that stands for the limits which an approval raises."""
    allowed = limits.deletes_allowed(summary.managed)
    return _remark(
        approval,
        DELETES_APPROVED,
        f"the plan deletes {summary.destroy} of {summary.managed} managed connections, "
        f"{summary.destroy - allowed} more than the limits allow",
        approval.evidence,
    )


def uses(
    approvals: Approvals,
    risks: Iterable[Diagnostic],
    deletes: Approval | None,
    is_covered: Callable[[Approval], bool],
) -> tuple[ApprovalUse, ...]:
    """Return what each approval does in a plan; ``deletes`` is the approval of its deletes.

    An approval of what the run does not cover is left out.
    """
    used = Counter(id(approvals.for_risk(risk)) for risk in risks)
    statuses = []
    for approval in approvals.approvals:
        if approvals.is_expired(approval):
            status = ApprovalStatus.EXPIRED
        elif used[id(approval)] or approval is deletes:
            status = ApprovalStatus.USED
        else:
            status = ApprovalStatus.NOT_NEEDED
        if status is not ApprovalStatus.NOT_NEEDED or is_covered(approval):
            statuses.append(ApprovalUse(approval=approval, status=status))
    return tuple(statuses)


def approval_remarks(uses: Iterable[ApprovalUse]) -> tuple[Diagnostic, ...]:
    """Return a warning for each approval that is expired or not needed."""
    return tuple(_use_remark(use) for use in uses if use.status is not ApprovalStatus.USED)


def _use_remark(use: ApprovalUse) -> Diagnostic:
    approval = use.approval
    if use.status is ApprovalStatus.EXPIRED:
        summary = f"the approval of {approval.subject} expired on {approval.until.isoformat()}"
        return _remark(approval, EXPIRED, f"{summary}: {approval.reason}", "remove it, or have it renewed")
    summary = f"the approval of {approval.subject} is not needed by this plan: {approval.reason}"
    return _remark(approval, NOT_NEEDED, summary, "remove it once what it approves has been applied")


def _approves(approval: Approval, risk: Diagnostic) -> bool:
    is_subject = (approval.rule, approval.address) == (risk.code, risk.address)
    return is_subject and approval.finding in {"", risk.fingerprint}


def _key(approval: Approval) -> object:
    if approval.deletes:
        return approval.deletes, approval.reason
    return approval.rule, approval.address, approval.finding


def _error(approval: Approval, known_rules: Collection[str], today: date | None) -> Diagnostic | None:
    if approval.rule and approval.rule not in known_rules:
        return unknown_rule(approval.rule, known_rules, approval.location)
    latest = today + timedelta(days=MAX_DAYS) if today else approval.until
    if approval.until > latest:
        return _problem(
            approval,
            "approval-too-long",
            f"`until` is {approval.until.isoformat()}, more than {MAX_DAYS} days ahead",
            hint=f"write {latest.isoformat()} or earlier",
        )
    return None


def _duplicate(approval: Approval, first: Approval) -> Diagnostic:
    return _problem(
        approval,
        "duplicate-approval",
        f"{approval.subject} is approved twice",
        detail=f"the first approval is at {first.location}",
        hint="keep one of them",
    )


def _problem(approval: Approval, code: Code, summary: str, *, detail: str = "", hint: str = "") -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        code,
        summary,
        detail=detail,
        hint=hint,
        address=approval.address,
        location=approval.location,
    )


def _remark(approval: Approval, code: Code, summary: str, hint: str) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING, code, summary, hint=hint, address=approval.address, location=approval.location
    )


def find_live_risks(
    connections: Sequence[Managed],
    severities: Mapping[str, str],
    approvals: Approvals,
    confirmed: Iterable[ConfirmedEndpoint] = (),
) -> tuple[Finding, ...]:
    """Return the risks in live connections that no approval covers, as if they were to be created.

    ``confirmed`` endpoints are those that the issuer's own metadata names.
    """
    by_address = {str(managed.address): managed for managed in connections}
    risks = _live_risks(connections, by_address.keys(), severities, confirmed)
    return tuple(
        _finding(risk, by_address[risk.address]) for risk in risks if approvals.for_risk(risk) is None
    )


def live_approvals(
    connections: Sequence[Managed], severities: Mapping[str, str], approvals: Approvals
) -> frozenset[str]:
    """Return the subjects of the approvals without which a live value would be a risk in `drift`."""
    addresses = {approval.address for approval in approvals.approvals}
    if not addresses:
        return frozenset()
    covering = map(approvals.for_risk, _live_risks(connections, addresses, severities))
    return frozenset(approval.subject for approval in covering if approval)


def _live_risks(
    connections: Sequence[Managed],
    addresses: Collection[str],
    severities: Mapping[str, str],
    confirmed: Iterable[ConfirmedEndpoint] = (),
) -> tuple[Diagnostic, ...]:
    """Return the risks in the live connections with these addresses, beside all other live ones."""
    published: dict[Address, dict[str, str]] = {}
    for endpoint in confirmed:
        published.setdefault(endpoint.address, {})[endpoint.attribute] = endpoint.url
    changes = [
        Create(
            address=managed.address,
            organization_id=managed.organization_id,
            declared=managed.connection,
            published=published.get(managed.address, {}),
            location=managed.location,
        )
        for managed in connections
        if str(managed.address) in addresses
    ]
    clients = clients_of((managed.address.organization, managed.connection) for managed in connections)
    return assess(changes, severities, Estate(clients=clients))


def _finding(risk: Diagnostic, managed: Managed) -> Finding:
    return Finding(
        address=managed.address,
        organization_id=managed.organization_id,
        kind=DriftKind.RISK,
        connection_id=managed.connection.connection_id or "",
        rule=risk.code,
        summary=risk.summary.removeprefix(f"{risk.address}: "),
        location=managed.location,
    )
