"""Plans a project: gathers everything, decides, gathers what the first decision needs, decides again.

`gather_desired` reads and checks all manifests and resolves their secrets; it sends no request.
`make_plan` finds the organizations, a thousand a search, reads their connections in parallel, and
plans each organization. Whatever decides takes values and returns values: only the functions that
gather read files, run Git or call the API.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from reconciler.core.errors import InvalidConfiguration, ProviderError, UsageError
from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import Plan, PlanSummary, summarize, with_warnings
from reconciler.core.planner import Choices, plan_organization, unreadable
from reconciler.core.run_selection import RunSelection, may_match
from reconciler.core.state import LiveOrganization
from reconciler.core.warnings import external_use_warnings
from reconciler.policies import assess, declared_estate
from reconciler.secrets import resolve_secrets, wanted_by
from reconciler.storage.git import head_commit
from reconciler.workflow.approvals import GatheredApprovals, gather_approvals
from reconciler.workflow.follow_up import Answers, Draft, PlanSources, explain_missing_pins, gather_answers
from reconciler.workflow.git_history import GitHistory
from reconciler.workflow.inputs import gather_inputs
from reconciler.workflow.judgement import approve, with_risks
from reconciler.workflow.live_state import find_organizations, read_organizations
from reconciler.workflow.merge import with_shard
from reconciler.workflow.selection import all_manifests, select_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import OrganizationPlan, PlanInputs, Scope
    from reconciler.core.run_selection import Limits, Shard
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import Project
    from reconciler.providers.base import Reader
    from reconciler.workflow.live_state import LiveState, Progress
    from reconciler.workflow.selection import SelectedManifests


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What a run is asked to plan. Without ``paths`` it is the whole project."""

    choices: Choices
    paths: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    changed_since: str | None = None
    shard: Shard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What is known before the first request: the manifests, and the secrets that the run compares.

    ``organizations`` are those that the run covers.
    """

    project: Project
    request: PlanRequest
    manifests: SelectedManifests
    selection: RunSelection
    organizations: tuple[DesiredOrganization, ...]
    choices: Choices
    approvals: GatheredApprovals = field(default_factory=GatheredApprovals)
    inputs: PlanInputs | None = None

    @property
    def limits(self) -> Limits:
        """The limits of the run: a shard has its share of the request rate."""
        shard = self.request.shard
        return self.project.limits.among(shard.count) if shard else self.project.limits


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMetadata:
    """What a plan records of when and where it was made. ``created_at`` is RFC 3339, in UTC."""

    scope: Scope
    created_at: str
    commit: str = ""


def gather_desired(
    request: PlanRequest, project: Project, *, environment: Mapping[str, str], remark: Callable[[str], None]
) -> Desired:
    """Read and check all manifests, and resolve the secrets of the connections that the run covers.

    Raises:
        InvalidConfiguration: a manifest has errors, or a secret is missing; all findings are named.
        UsageError: a target, or an address to rotate, matches nothing that is declared.
    """
    manifests = select_manifests(request.paths, project, request.variables, request.changed_since)
    if manifests.remark:
        remark(manifests.remark)
    declared = manifests.loaded.state.organizations
    selection = RunSelection(
        targets=request.choices.targets,
        organizations=None if manifests.is_whole else frozenset(manifest.reference for manifest in declared),
        shard=request.shard,
    )
    organizations = tuple(filter(selection.includes_organization, declared))
    connections = [
        connection
        for organization in organizations
        for connection in organization.connections
        if selection.includes(connection.address)
    ]
    wanted = wanted_by(connections) if request.choices.compares_secrets else ()
    resolved = resolve_secrets(wanted, policy=project.secret_policy, environment=environment)
    _check(declared, request.choices, (*manifests.loaded.diagnostics, *resolved.diagnostics))
    return Desired(
        inputs=gather_inputs(project, request.paths),
        approvals=gather_approvals(
            project, request.choices.today, manifests.loaded if manifests.is_whole else None
        ),
        project=project,
        request=request,
        manifests=manifests,
        selection=selection,
        organizations=organizations,
        choices=replace(request.choices, secrets=resolved.secrets),
    )


async def make_plan(
    desired: Desired, reader: Reader, *, scope: Scope, created_at: str, progress: Progress
) -> Plan:
    """Plan the desired organizations, assess the risks, and add the warnings about manifests.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    project, variables = desired.project, desired.request.variables
    plan = await plan_organizations(
        desired.organizations,
        reader,
        choices=desired.choices,
        limits=desired.limits,
        metadata=PlanMetadata(scope=scope, created_at=created_at, commit=head_commit(project.root)),
        progress=progress,
        sources=PlanSources(
            history=GitHistory(project, variables),
            other_manifests=partial(all_manifests, desired.manifests, project, variables),
        ),
    )
    manifests, shard = desired.manifests.loaded, desired.request.shard
    declared = manifests.state.organizations
    estate = declared_estate(declared, desired.choices.secrets)
    plan = with_risks(plan, assess(plan.changes, project.policies, estate), desired.limits)
    plan = approve(plan, desired.limits, desired.approvals, desired.selection)
    plan = replace(plan, inputs=desired.inputs)
    if shard is not None:
        return with_shard(plan, shard, declared, manifests.diagnostics)
    return with_warnings(plan, manifests.diagnostics)


async def plan_organizations(
    manifests: Sequence[DesiredOrganization],
    reader: Reader,
    *,
    choices: Choices,
    limits: Limits,
    metadata: PlanMetadata,
    progress: Progress,
    sources: PlanSources | None = None,
) -> Plan:
    """Plan organizations. One that cannot be read or is refused does not affect the others.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    organizations = await find_organizations(manifests, reader)
    live = await read_organizations(organizations, reader, concurrency=limits.concurrency, progress=progress)
    drafts = [
        Draft(desired=desired, live=state, plan=_decide(desired, state, choices))
        for desired, state in zip(manifests, live, strict=True)
    ]
    answers = await gather_answers(drafts, reader, sources or PlanSources())
    plans = [_decide_again(draft, answers, choices) for draft in drafts]
    return _combine(plans, live, choices=choices, limits=limits, metadata=metadata)


def _check(
    declared: Sequence[DesiredOrganization], choices: Choices, diagnostics: tuple[Diagnostic, ...]
) -> None:
    if any(diagnostic.is_error for diagnostic in diagnostics):
        raise InvalidConfiguration(diagnostics)
    for pattern in (*choices.targets, *choices.rotate):
        if not any(may_match(pattern, organization) for organization in declared):
            raise UsageError(f"no declared connection matches {pattern!r}; addresses look like acme/okta")


def _decide(desired: DesiredOrganization, live: LiveState, choices: Choices) -> OrganizationPlan:
    if isinstance(live, ProviderError):
        return unreadable(desired, live)
    return plan_organization(desired, live, choices)


def _decide_again(draft: Draft, answers: Answers, choices: Choices) -> OrganizationPlan:
    """Return the plan of an organization, now that the questions of its draft are answered."""
    desired, plan = draft.desired, draft.plan
    if error := answers.errors.get(desired.reference):
        return unreadable(desired, error)
    if protections := answers.protections.get(desired.reference):
        plan = _decide(replace(desired, protections=protections), draft.live, choices)
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
        diagnostics=(*(diagnostic for plan in plans for diagnostic in plan.diagnostics), *warnings),
        blocks=check_delete_limits(summary, limits),
        summary=summary,
        secrets_compared=choices.compares_secrets,
    )
