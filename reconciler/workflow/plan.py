"""Plans a project: gathers everything, decides, gathers what the first decision needs, decides again.

`gather_desired` has read and checked all manifests and resolved their secrets before the first request.
`make_plan` finds the organizations, a thousand a search, reads their connections in parallel, and
plans each organization. Whatever decides takes values and returns values: only the functions that
gather read files, run Git or call the API.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from reconciler.core.errors import ProviderError
from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import (
    Plan,
    PlanSummary,
    summarize,
    with_findings,
    with_manifest_findings,
    with_refused,
)
from reconciler.core.planner import plan_organization, unreadable
from reconciler.core.state import LiveOrganization
from reconciler.core.warnings import external_use_warnings
from reconciler.policies import assess, declared_estate
from reconciler.storage.git import head_commit
from reconciler.workflow.base import guards_to_report
from reconciler.workflow.base_risks import already_live, declared_edits, with_base_risks
from reconciler.workflow.follow_up import Answers, Draft, PlanSources, explain_missing_pins, gather_answers
from reconciler.workflow.git_history import GitHistory
from reconciler.workflow.judgement import approve, judge_providers, with_risks
from reconciler.workflow.live_state import find_organizations, read_organizations
from reconciler.workflow.merge import with_shard
from reconciler.workflow.predictions import Published, gather_published
from reconciler.workflow.selection import all_manifests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.plan import OrganizationPlan, Scope
    from reconciler.core.planner import Choices
    from reconciler.core.run_selection import Limits
    from reconciler.core.state import DesiredOrganization
    from reconciler.providers.base import Reader
    from reconciler.workflow.desired import Desired
    from reconciler.workflow.discovery import Providers
    from reconciler.workflow.live_state import LiveState, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMetadata:
    """What a plan records of when and where it was made. ``created_at`` is RFC 3339, in UTC."""

    scope: Scope
    created_at: str
    commit: str = ""


async def make_plan(
    desired: Desired,
    reader: Reader,
    *,
    scope: Scope,
    created_at: str,
    progress: Progress,
    providers: Providers | None = None,
) -> Plan:
    """Plan the desired organizations, assess the risks, and add the warnings about manifests.

    Without ``providers`` no identity provider is asked.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    project, variables = desired.project, desired.request.variables
    keeps_live = desired.choices.keeps_live or bool(desired.approvals.approvals.approvals)
    plan = await plan_organizations(
        desired.organizations,
        reader,
        choices=replace(desired.choices, keeps_live=keeps_live),
        limits=desired.limits,
        metadata=PlanMetadata(scope=scope, created_at=created_at, commit=head_commit(project.root)),
        progress=progress,
        others=(*desired.refused, *desired.past.organizations),
        sources=PlanSources(
            history=GitHistory(project, variables),
            other_manifests=partial(all_manifests, desired.manifests, project, variables),
        ),
        providers=providers,
    )
    plan = with_refused(plan, [manifest.reference for manifest in desired.refused])
    if plan.changes or desired.base is not None:
        plan = _judged(plan, desired)
    plan = judge_providers(plan, project.policies, desired.approvals.approvals)
    plan = approve(plan, project, desired.approvals, limits=desired.limits, selection=desired.selection)
    plan = replace(plan, inputs=desired.inputs)
    if plan.has_changes:
        plan = replace(plan, blocks=(*desired.blocks, *plan.blocks))
    shard = desired.request.shard
    if shard is not None:
        return with_shard(plan, shard, desired.manifests.loaded.state.organizations, desired.diagnostics)
    return with_manifest_findings(plan, desired.diagnostics)


def _judged(plan: Plan, desired: Desired) -> Plan:
    """Return a plan with the risks of its changes, and of what was declared since the base."""
    severities = desired.project.policies
    estate = declared_estate(desired.declared, desired.choices.secrets, in_session=plan.scope.is_session)
    risks = assess(plan.changes, severities, estate)
    if desired.base is not None:
        edits = declared_edits(desired.base, desired.organizations, desired.selection)
        guards = guards_to_report(desired.base, desired.manifests.loaded)
        plan = replace(plan, guards=guards, already_live=already_live(edits, plan))
        risks = with_base_risks(risks, edits, plan, severities, estate)
    return with_risks(plan, risks, desired.limits)


async def plan_organizations(
    manifests: Sequence[DesiredOrganization],
    reader: Reader,
    *,
    choices: Choices,
    limits: Limits,
    metadata: PlanMetadata,
    progress: Progress,
    others: Sequence[DesiredOrganization] = (),
    sources: PlanSources | None = None,
    providers: Providers | None = None,
) -> Plan:
    """Plan organizations. One that cannot be read or is refused does not affect the others.

    ``others`` are not planned, but none of them may be declared a second time. Without ``providers`` no
    identity provider is asked.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    organizations = await find_organizations(manifests, reader, others)
    live = await read_organizations(organizations, reader, concurrency=limits.concurrency, progress=progress)
    drafts = [
        Draft(desired=desired, live=state, plan=_decide(desired, state, choices))
        for desired, state in zip(manifests, live, strict=True)
    ]
    published = Published()
    if providers is not None:
        published = await gather_published(drafts, providers, choices, created_at=metadata.created_at)
        drafts = [_draft_again(draft, published, choices) for draft in drafts]
    answers = await gather_answers(drafts, reader, sources or PlanSources())
    choices = replace(choices, deletes_withheld=choices.deletes_withheld or answers.deletes_withheld)
    plans = [_decide_again(draft, answers, choices) for draft in drafts]
    plan = _combine(plans, live, choices=choices, limits=limits, metadata=metadata)
    return with_findings(plan, published.findings)


def _draft_again(draft: Draft, published: Published, choices: Choices) -> Draft:
    """Return the draft of an organization, now that the endpoints of its issuers are known."""
    desired = published.put_into(draft.desired)
    if desired is draft.desired:
        return draft
    return replace(draft, desired=desired, plan=_decide(desired, draft.live, choices))


def _decide(desired: DesiredOrganization, live: LiveState, choices: Choices) -> OrganizationPlan:
    if isinstance(live, ProviderError):
        return unreadable(desired, live)
    return plan_organization(desired, live, choices)


def _decide_again(draft: Draft, answers: Answers, choices: Choices) -> OrganizationPlan:
    """Return the plan of an organization, now that the questions of its draft are answered."""
    desired, plan = draft.desired, draft.plan
    if error := answers.errors.get(desired.reference):
        return unreadable(desired, error)
    protections = answers.protections.get(desired.reference, ())
    if protections or answers.deletes_withheld:
        plan = _decide(replace(desired, protections=protections), draft.live, choices)
    if plan.missing and any(pin in answers.pin_owners for pin in draft.missing_pins.values()):
        plan = _decide(desired, draft.live, replace(choices, reports_missing=False))  # it is a wrong pin
    if warning := answers.warnings.get(desired.reference):
        plan = replace(plan, diagnostics=(*plan.diagnostics, warning))
    return explain_missing_pins(plan, draft.missing_pins, answers.pin_owners)


def _combine(
    plans: Sequence[OrganizationPlan],
    live: Iterable[LiveState],
    *,
    choices: Choices,
    limits: Limits,
    metadata: PlanMetadata,
) -> Plan:
    """Return the plan of all organizations, with what only all of them together show."""
    changes = tuple(change for plan in plans for change in plan.changes)
    organizations = [state for state in live if isinstance(state, LiveOrganization)]
    warnings = tuple(external_use_warnings(changes, organizations))
    summary = sum((summarize(plan) for plan in plans), start=PlanSummary(warnings=len(warnings)))
    return Plan(
        scope=metadata.scope,
        created_at=metadata.created_at,
        commit=metadata.commit,
        changes=changes,
        unmanaged=tuple(connection for plan in plans for connection in plan.unmanaged),
        live=tuple(connection for plan in plans for connection in plan.live),
        missing=tuple(connection for plan in plans for connection in plan.missing),
        diagnostics=(*(diagnostic for plan in plans for diagnostic in plan.diagnostics), *warnings),
        blocks=check_delete_limits(summary, limits),
        refused_organizations=tuple(plan.reference for plan in plans if plan.is_refused),
        summary=summary,
        ignored=tuple(difference for plan in plans for difference in plan.ignored),
        secrets_compared=choices.compares_secrets,
    )
