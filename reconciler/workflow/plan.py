"""Plans an estate: gather everything, decide, gather what the first decision asks for, decide again.

`gather_desired` reads and checks all manifests and resolves the secrets. Nothing is sent before
every manifest is known to be right. `make_plan` finds the organizations, a thousand a search, reads
their live state in parallel, and plans each of them. What decides takes values and returns values;
only what gathers talks to the API, to Git, or reads files.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.errors import InvalidConfiguration, ProviderError, UsageError
from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import Plan, PlanSummary, summarize, with_warnings
from reconciler.core.planner import Choices, plan_organization, unreadable
from reconciler.core.run_selection import RunSelection, may_match
from reconciler.core.state import LiveOrganization
from reconciler.core.warnings import external_use_warnings
from reconciler.manifests import load_manifests
from reconciler.policies import assess
from reconciler.policies.shared_client import Clients
from reconciler.secrets import ResolvedSecrets, resolve_secrets, wanted_by
from reconciler.storage.git import head_commit
from reconciler.workflow.follow_up import Answers, Draft, PlanSources, explain_missing_pins, gather_answers
from reconciler.workflow.git_history import GitHistory
from reconciler.workflow.live_state import find_organizations, read_organizations
from reconciler.workflow.merge import with_shard
from reconciler.workflow.other_manifests import OtherManifests
from reconciler.workflow.selection import select_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from reconciler.core.errors import Diagnostic
    from reconciler.core.limits import Limits
    from reconciler.core.plan import OrganizationPlan, Scope
    from reconciler.core.shard import Shard
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import Project
    from reconciler.providers.base import Reader
    from reconciler.workflow.live_state import LiveState, Progress
    from reconciler.workflow.selection import SelectedManifests


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What a run is asked to plan. Without ``paths`` it is the whole project."""

    paths: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    changed_since: str | None = None
    targets: tuple[str, ...] = ()
    rotate: tuple[str, ...] = ()
    shard: Shard | None = None
    compares_secrets: bool = True
    today: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """Everything that is known before the first request: what is declared, and the secrets it needs.

    ``organizations`` are those that the run covers.
    """

    project: Project
    request: PlanRequest
    manifests: SelectedManifests
    selection: RunSelection
    organizations: tuple[DesiredOrganization, ...]
    choices: Choices

    @property
    def limits(self) -> Limits:
        """The limits of this run: a shard has its share of the request rate."""
        shard = self.request.shard
        return self.project.limits.among(shard.count) if shard else self.project.limits


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMetadata:
    """What a plan records of when and where it was made. ``created_at`` is RFC 3339, in UTC."""

    scope: Scope
    created_at: str
    commit: str = ""


def gather_desired(
    request: PlanRequest,
    project: Project,
    *,
    environment: Mapping[str, str],
    remark: Callable[[str], None],
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
    selection = _selection(request, manifests)
    organizations = tuple(filter(selection.includes_organization, declared))
    secrets = _resolve_secrets(organizations, selection, request, project, environment)
    _check(declared, request, (*manifests.loaded.diagnostics, *secrets.diagnostics))
    choices = Choices(
        secrets=secrets.secrets,
        targets=request.targets,
        rotate=request.rotate,
        compares_secrets=request.compares_secrets,
        today=request.today,
    )
    return Desired(
        project=project,
        request=request,
        manifests=manifests,
        selection=selection,
        organizations=organizations,
        choices=choices,
    )


async def make_plan(
    desired: Desired, reader: Reader, *, scope: Scope, created_at: str, progress: Progress
) -> Plan:
    """Read the live state of what is desired, plan it, and assess the risks.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    project, manifests = desired.project, desired.manifests.loaded
    plan = await plan_organizations(
        desired.organizations,
        reader,
        choices=desired.choices,
        limits=desired.limits,
        metadata=PlanMetadata(scope=scope, created_at=created_at, commit=head_commit(project.root)),
        progress=progress,
        sources=_sources(desired),
    )
    declared = manifests.state.organizations
    plan = replace(plan, risks=assess(plan.changes, project.policies, _clients(declared)))
    if desired.request.shard is not None:
        return with_shard(plan, desired.request.shard, declared, manifests.diagnostics)
    return with_warnings(plan, manifests.diagnostics)


async def plan_organizations(
    organizations: Sequence[DesiredOrganization],
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
    targets = await find_organizations(organizations, reader)
    live = await read_organizations(targets, reader, concurrency=limits.concurrency, progress=progress)
    drafts = [
        Draft(desired=desired, live=state, plan=_plan(desired, state, choices))
        for desired, state in zip(organizations, live, strict=True)
    ]
    answers = await gather_answers(drafts, reader, sources or PlanSources())
    plans = [_reconsider(draft, answers, choices) for draft in drafts]
    changes = tuple(change for plan in plans for change in plan.changes)
    organizations_read = [state for state in live if isinstance(state, LiveOrganization)]
    dependants = tuple(external_use_warnings(changes, organizations_read))
    summary = sum((summarize(plan) for plan in plans), start=PlanSummary())
    summary = replace(summary, warnings=summary.warnings + len(dependants))
    return Plan(
        scope=metadata.scope,
        created_at=metadata.created_at,
        commit=metadata.commit,
        changes=changes,
        unmanaged=tuple(connection for plan in plans for connection in plan.unmanaged),
        diagnostics=(*(diagnostic for plan in plans for diagnostic in plan.diagnostics), *dependants),
        blocks=check_delete_limits(summary, limits),
        summary=summary,
        secrets_compared=choices.compares_secrets,
    )


def _selection(request: PlanRequest, manifests: SelectedManifests) -> RunSelection:
    organizations = manifests.loaded.state.organizations
    names = None if manifests.is_whole else frozenset(manifest.reference for manifest in organizations)
    return RunSelection(targets=request.targets, organizations=names, shard=request.shard)


def _resolve_secrets(
    organizations: Iterable[DesiredOrganization],
    selection: RunSelection,
    request: PlanRequest,
    project: Project,
    environment: Mapping[str, str],
) -> ResolvedSecrets:
    if not request.compares_secrets:
        return ResolvedSecrets({})
    connections = (connection for organization in organizations for connection in organization.connections)
    wanted = wanted_by(connection for connection in connections if selection.includes(connection.address))
    return resolve_secrets(wanted, policy=project.secret_policy, environment=environment)


def _check(
    declared: Sequence[DesiredOrganization], request: PlanRequest, diagnostics: tuple[Diagnostic, ...]
) -> None:
    if any(diagnostic.is_error for diagnostic in diagnostics):
        raise InvalidConfiguration(diagnostics)
    for pattern in (*request.targets, *request.rotate):
        if not any(may_match(pattern, organization) for organization in declared):
            raise UsageError(f"no declared connection matches {pattern!r}; addresses look like acme/okta")


def _sources(desired: Desired) -> PlanSources:
    """Return where undeclared connections are checked; all manifests are read only if it is needed."""
    project, variables = desired.project, desired.request.variables

    def other_manifests() -> OtherManifests:
        is_whole = desired.manifests.is_whole
        return OtherManifests.of(
            desired.manifests.loaded if is_whole else load_manifests((), project, variables)
        )

    return PlanSources(history=GitHistory(project, variables), other_manifests=other_manifests)


def _plan(desired: DesiredOrganization, live: LiveState, choices: Choices) -> OrganizationPlan:
    if isinstance(live, ProviderError):
        return unreadable(desired, live)
    return plan_organization(desired, live, choices)


def _reconsider(draft: Draft, answers: Answers, choices: Choices) -> OrganizationPlan:
    """Decide again, with what the second gather found."""
    desired, plan = draft.desired, draft.plan
    if error := answers.errors.get(desired.reference):
        return unreadable(desired, error)
    if protections := answers.protections.get(desired.reference):
        plan = _plan(replace(desired, protections=protections), draft.live, choices)
    if warning := answers.warnings.get(desired.reference):
        plan = replace(plan, diagnostics=(*plan.diagnostics, warning))
    return explain_missing_pins(plan, draft.missing_pins, answers.pin_owners)


def _clients(organizations: Iterable[DesiredOrganization]) -> Clients:
    clients = Clients()
    for organization in organizations:
        clients.add(organization)
    return clients
