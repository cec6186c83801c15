"""Gathers the approvals of a run, and judges its plan by risks, limits on deletes, and approvals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.approval import ApprovalStatus, ApprovalUse
from reconciler.core.change import Create, Delete, Update
from reconciler.core.errors import count
from reconciler.core.guards import check_delete_limits
from reconciler.core.idp import IDP_SEVERITIES
from reconciler.core.plan import refuse_organizations, with_findings
from reconciler.core.run_selection import ALL
from reconciler.manifests.approvals import load_approvals
from reconciler.policies import (
    RULE_FAILED,
    Approvals,
    assess,
    check_approvals,
    declared_estate,
    judge_again,
    judge_idp_findings,
    known_rules,
    live_approvals,
    undeclared_addresses,
)
from reconciler.policies.approvals import (
    DELETES_APPROVED,
    EXPIRED,
    NOT_NEEDED,
    approval_remarks,
    approve_risks,
    deletes_approved,
    uses,
)
from reconciler.secrets import resolve_secrets, wanted_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from reconciler.core.approval import Approval
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Plan
    from reconciler.core.run_selection import Limits, RunSelection
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import Loaded, Project

_UNREACHABLE: Final = "idp-unreachable"
_SEVERAL: Final = 2
_NAMED: Final = 3
"""Providers without an answer that a finding names."""

_REMARKS: Final = frozenset({DELETES_APPROVED, EXPIRED, NOT_NEEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredApprovals:
    """The approvals of a run, and what is wrong with those that cannot be used."""

    approvals: Approvals = field(default_factory=Approvals)
    diagnostics: tuple[Diagnostic, ...] = ()


def gather_approvals(
    project: Project, today: date | None, manifests: Loaded | None = None
) -> GatheredApprovals:
    """Read and check all approvals; ``manifests``, if all are known, have to declare their addresses."""
    loaded = load_approvals(project)
    usable, errors = check_approvals(loaded.approvals, known_rules(), today)
    remarks: tuple[Diagnostic, ...] = ()
    if manifests is not None and not manifests.has_errors:
        declared = {str(connection.address) for connection in manifests.state.connections}
        remarks = undeclared_addresses(usable, declared)
    return GatheredApprovals(
        approvals=Approvals(approvals=usable, today=today),
        diagnostics=(*loaded.diagnostics, *errors, *remarks),
    )


def accept_deletes(
    plan: Plan, limits: Limits, accepted: int | None, approvals: Approvals | None = None
) -> Plan:
    """Return the plan with its delete limits checked again.

    ``accepted`` deletes are allowed, else as many beyond the limits as an approval in Git says.
    """
    blocks = tuple(block for block in plan.blocks if block.code != "too-many-deletes")
    approval = approvals.for_deletes(plan.summary, limits) if approvals and accepted is None else None
    if approval is None:
        return replace(plan, blocks=(*blocks, *check_delete_limits(plan.summary, limits, accepted)))
    warning = deletes_approved(approval, plan.summary, limits)
    plan = replace(plan, blocks=blocks)
    return plan if warning in plan.diagnostics else with_findings(plan, (warning,))


def approve(
    plan: Plan,
    project: Project,
    gathered: GatheredApprovals,
    *,
    limits: Limits,
    selection: RunSelection = ALL,
) -> Plan:
    """Return the plan as its approvals allow it; those that are used, expired or not needed are named.

    An approval of what is live is none of these: no change needs it, and without it `drift` finds a risk.
    """
    needed_live = live_approvals(plan.live, project.policies, gathered.approvals)
    refused = {error.address.partition("/")[0] for error in plan.diagnostics if error.is_error}
    refused |= {*plan.refused_organizations}

    def is_covered(approval: Approval) -> bool:
        if approval.deletes:
            return selection == ALL
        if approval.rule in IDP_SEVERITIES:  # `verify` needs it
            return False
        organization, _, connection = approval.address.partition("/")
        is_selected = organization not in refused and selection.includes(Address(organization, connection))
        return is_selected and approval.subject not in needed_live

    return _approve(plan, limits, gathered, is_covered)


def judge_providers(plan: Plan, severities: Mapping[str, str], approvals: Approvals) -> Plan:
    """Return the plan with its findings about identity providers as the project file and approvals say.

    They are warnings at most. Providers that were not reached are one finding, apart from approved ones.
    """
    findings = [finding for finding in plan.diagnostics if finding.code in IDP_SEVERITIES]
    judged = judge_idp_findings(findings, severities, are_errors=False)
    is_lost = {id(finding) for finding in judged if _is_lost(finding, approvals)}
    lost = [finding for finding in judged if id(finding) in is_lost]
    others = [finding for finding in judged if id(finding) not in is_lost]
    kept = tuple(finding for finding in plan.diagnostics if finding.code not in IDP_SEVERITIES)
    counted = sum(not finding.is_error for finding in findings)
    summary = replace(plan.summary, warnings=plan.summary.warnings - counted)
    plan = replace(plan, diagnostics=kept, summary=summary)
    return with_findings(plan, (*_not_reached(lost), *approve_risks(others, approvals)))


def _is_lost(finding: Diagnostic, approvals: Approvals) -> bool:
    return finding.code == _UNREACHABLE and approvals.for_risk(finding) is None


def _not_reached(findings: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """Return what is said of providers that were not reached: of several connections, one finding."""
    if len(findings) < _SEVERAL:
        return findings
    problems = list(dict.fromkeys(finding.summary.partition(": ")[2] for finding in findings))
    more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
    return (
        replace(
            findings[0],
            summary=f"{count(len(problems), 'issuer')} not reached: is there a proxy?",
            detail=f"nothing is predicted for {len(findings)} connections; their changes are the same: "
            + "; ".join(problems[:_NAMED])
            + more,
            address="",
            location=None,
            fingerprint="",
        ),
    )


def judge_saved_plan(
    plan: Plan,
    project: Project,
    gathered: GatheredApprovals,
    declared: Sequence[DesiredOrganization],
    environment: Mapping[str, str],
) -> Plan:
    """Return a saved plan with its risks and deletes judged again, by this project file and its approvals.

    Risks are found again in the changes, beside all that is declared and the values of its secrets. Those
    that only the run that planned could see are kept.
    """
    plan = replace(plan, summary=replace(plan.summary, managed=_managed(plan, declared)))
    secrets = _declared_secrets(plan, project, declared, environment)
    estate = declared_estate(declared, secrets, in_session=plan.scope.is_session)
    risks = assess(plan.changes, project.policies, estate)
    known = {(risk.code, risk.address, risk.summary) for risk in risks}
    kept = [risk for risk in plan.risks if (risk.code, risk.address, risk.summary) not in known]
    recorded = {use.approval.subject for use in plan.approvals}
    plan = with_risks(plan, (*risks, *judge_again(kept, project.policies)), project.limits)
    return _approve(plan, project.limits, gathered, lambda approval: approval.subject in recorded)


def _managed(plan: Plan, declared: Iterable[DesiredOrganization]) -> int:
    """Return how many connections the plan manages: as it says, but not more than there can be."""
    addresses = {connection.address for organization in declared for connection in organization.connections}
    created = {change.address for change in plan.changes if isinstance(change, Create)}
    deleted = {change.address for change in plan.changes if isinstance(change, Delete)}
    return min(plan.summary.managed, len((addresses - created) | deleted))


def _declared_secrets(
    plan: Plan, project: Project, declared: Iterable[DesiredOrganization], environment: Mapping[str, str]
) -> Mapping[SecretReference, Secret]:
    """Return all secrets that can be resolved, if the plan sends any: one may be that of somebody else."""
    sent = (change.declared.client_secret for change in plan.changes if isinstance(change, Create | Update))
    if not any(sent):
        return {}
    connections = [connection for organization in declared for connection in organization.connections]
    return resolve_secrets(wanted_by(connections), project.secret_access(environment)).secrets


def with_risks(plan: Plan, risks: Sequence[Diagnostic], limits: Limits) -> Plan:
    """Return the plan with its risks, without the organizations for which a rule failed."""
    failures = [risk for risk in risks if risk.code == RULE_FAILED]
    if not failures:
        return replace(plan, risks=tuple(risks))
    plan = refuse_organizations(plan, failures)
    refused = {failure.address.partition("/")[0] for failure in failures}
    risks = tuple(risk for risk in risks if risk.address.partition("/")[0] not in refused)
    return replace(plan, risks=risks, blocks=check_delete_limits(plan.summary, limits))


def approve_merged(plan: Plan, limits: Limits, recorded: Sequence[ApprovalUse]) -> Plan:
    """Return the plan of all shards, as the approvals that their plans record allow it."""
    expired = dict.fromkeys(use.approval for use in recorded if use.status is ApprovalStatus.EXPIRED)
    valid = dict.fromkeys(use.approval for use in recorded if use.approval not in expired)
    approvals = Approvals(approvals=tuple(valid))
    deletes = approvals.for_deletes(plan.summary, limits)
    known = (
        *uses(approvals, plan.risks, deletes, lambda _approval: True),
        *(ApprovalUse(approval=approval, status=ApprovalStatus.EXPIRED) for approval in expired),
    )
    plan = accept_deletes(_without_remarks(plan), limits, None, approvals)
    return with_findings(replace(plan, approvals=known), approval_remarks(known))


def _approve(
    plan: Plan, limits: Limits, gathered: GatheredApprovals, is_covered: Callable[[Approval], bool]
) -> Plan:
    approvals = gathered.approvals
    deletes = approvals.for_deletes(plan.summary, limits)
    about_providers = (finding for finding in plan.diagnostics if finding.code in IDP_SEVERITIES)
    approval_uses = uses(approvals, (*plan.risks, *about_providers), deletes, is_covered)
    plan = replace(plan, risks=approve_risks(plan.risks, approvals), approvals=approval_uses)
    plan = accept_deletes(_without_remarks(plan), limits, None, approvals)
    known = frozenset(plan.diagnostics)
    remarks = (*gathered.diagnostics, *approval_remarks(approval_uses))
    return with_findings(plan, [remark for remark in remarks if remark not in known])


def _without_remarks(plan: Plan) -> Plan:
    """Return the plan without what an earlier judgement said of approvals."""
    kept = tuple(diagnostic for diagnostic in plan.diagnostics if diagnostic.code not in _REMARKS)
    warnings = plan.summary.warnings - (len(plan.diagnostics) - len(kept))
    return replace(plan, diagnostics=kept, summary=replace(plan.summary, warnings=warnings))
