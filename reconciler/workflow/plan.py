"""Planning: read what is live, organization by organization, and decide."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reconciler.core.errors import ProviderError
from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import Plan, PlanSummary, summarize
from reconciler.core.planner import unreadable
from reconciler.manifests import ManifestFile
from reconciler.secrets import ResolvedSecrets
from reconciler.workflow.claims import Claims
from reconciler.workflow.deciding import Deciding, OtherOrganization
from reconciler.workflow.finding import Finder
from reconciler.workflow.gather import Declared
from reconciler.workflow.parallel import ahead, consume

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from reconciler.core.limits import Limits
    from reconciler.core.plan import OrganizationPlan, Scope
    from reconciler.core.planner import Choices
    from reconciler.core.state import DesiredOrganization, DesiredState, Organization
    from reconciler.providers.base import Reader
    from reconciler.workflow.elsewhere import OtherDocuments
    from reconciler.workflow.gather import Batch
    from reconciler.workflow.past import Past

    Found = Mapping[str, Organization | ProviderError]


class Progress(Protocol):
    """Is told how far the reading has come."""

    def advanced(self, done: int) -> None:
        """Take note that ``done`` organizations have been planned so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a plan records of when and where it was made. ``created_at`` is RFC 3339, in UTC."""

    scope: Scope
    created_at: str
    commit: str = ""


async def make_plan(
    desired: DesiredState,
    reader: Reader,
    *,
    choices: Choices,
    limits: Limits,
    circumstances: Circumstances,
    progress: Progress,
    past: Past | None = None,
) -> Plan:
    """Plan a desired state that is held in memory; see `stream_plan`.

    Raises:
        UsageError: a target means nothing that is declared.
    """
    whole = ManifestFile(None, "", desired.organizations, ())
    declared = Declared([whole], choices, lambda _wanted: ResolvedSecrets(choices.secrets))
    plan = await stream_plan(
        declared.batches(),
        reader,
        choices=choices,
        limits=limits,
        circumstances=circumstances,
        progress=progress,
        past=past,
    )
    declared.complete()
    return plan


async def stream_plan(
    batches: AsyncIterator[Batch],
    reader: Reader,
    *,
    choices: Choices,
    limits: Limits,
    circumstances: Circumstances,
    progress: Progress,
    past: Past | None = None,
    others: OtherDocuments | None = None,
) -> Plan:
    """Plan organization by organization while batches come in; what is unchanged is not kept.

    One that cannot be read or is refused does not hide the others. ``past`` knows which blocks that
    were removed forbade to destroy a connection; without it `prune` deletes whatever is not declared.
    ``others`` knows the documents that are not among the batches; leave it out if there are none.

    Raises:
        AccessDenied: the credentials are not accepted; nothing else would be either.
    """
    deciding = Deciding(reader, past, others)
    planning = _Planning(reader, deciding, choices, progress)
    async with aclosing(planning.found(batches)) as tasks:
        await consume(tasks, planning.decide, concurrency=limits.concurrency)
    plans, summary = planning.plans, planning.summary
    changes = tuple(change for plan in plans for change in plan.changes)
    dependants = deciding.dependants(changes)
    summary = replace(summary, warnings=summary.warnings + len(dependants))
    return Plan(
        scope=circumstances.scope,
        created_at=circumstances.created_at,
        commit=circumstances.commit,
        changes=changes,
        unmanaged=tuple(one for plan in plans for one in plan.unmanaged),
        diagnostics=(*(found for plan in plans for found in plan.diagnostics), *dependants),
        blocks=check_delete_limits(summary, limits),
        summary=summary,
        secrets_compared=choices.compares_secrets,
    )


class _Task(NamedTuple):
    """One organization to plan; ``live`` is what it was resolved to, or why it could not be."""

    number: int
    desired: DesiredOrganization
    live: Organization | ProviderError
    choices: Choices


@dataclass(slots=True)
class _Planning:
    """What has been decided so far; a plan without anything to show is only counted.

    Most organizations are alike in their counts, so equal ones are kept once.
    """

    reader: Reader
    deciding: Deciding
    choices: Choices
    progress: Progress
    _plans: dict[int, OrganizationPlan] = field(default_factory=dict)
    _summaries: list[PlanSummary | None] = field(default_factory=list)
    _distinct: dict[PlanSummary, PlanSummary] = field(default_factory=dict)
    _claims: Claims = field(default_factory=Claims)
    _done: int = 0
    _clashes: list[tuple[int, OrganizationPlan]] = field(default_factory=list)

    @property
    def plans(self) -> tuple[OrganizationPlan, ...]:
        """The plans that have something to show, in the order of the manifests."""
        plans = self._plans | dict(self._clashes)
        return tuple(plans[index] for index in sorted(plans))

    @property
    def summary(self) -> PlanSummary:
        """The counts of all plans."""
        summaries = [*self._summaries]
        for index, plan in self._clashes:
            summaries[index] = summarize(plan)
        counted = Counter(one for one in summaries if one is not None)
        return sum((one.times(number) for one, number in counted.items()), start=PlanSummary())

    async def found(self, batches: AsyncIterator[Batch]) -> AsyncGenerator[_Task, None]:
        """Resolve the organizations of each batch in bulk, and yield them one by one.

        The next batch is read, and searched for, while the last one is worked on.
        """
        async with aclosing(self._located(batches)) as locating, aclosing(ahead(locating)) as located:
            async for batch, found in located:
                choices = replace(self.choices, secrets=batch.secrets)
                while batch.organizations:
                    desired = batch.organizations.popleft()
                    index = self._claims.add(desired)
                    self._summaries.append(None)
                    live = self._usable(desired, found[desired.reference], index)
                    yield _Task(index, desired, live, choices)

    async def _located(self, batches: AsyncIterator[Batch]) -> AsyncGenerator[tuple[Batch, Found], None]:
        finder = Finder(self.reader)
        async with aclosing(ahead(batches)) as loaded:
            async for batch in loaded:
                finder.foresee(batch.foreseen)
                yield batch, await finder.find([one.reference for one in batch.organizations])

    async def decide(self, task: _Task) -> None:
        """Read and plan one organization."""
        plan = await self.deciding.plan(task.desired, task.live, task.choices)
        summary = summarize(plan)
        self._summaries[task.number] = self._distinct.setdefault(summary, summary)
        self._done += 1
        if plan.changes or plan.unmanaged or plan.diagnostics:
            self._plans[task.number] = plan
        self.progress.advanced(self._done)

    def _usable(
        self, desired: DesiredOrganization, found: Organization | ProviderError, index: int
    ) -> Organization | ProviderError:
        """Return the organization, or why it must not be planned."""
        if isinstance(found, ProviderError):
            return found
        if desired.organization_id not in {None, found.organization_id}:
            return other_organization(desired, found)
        first = self._claims.first(index, found)
        if first == index:
            return found
        other = self._claims.document(first)
        self._clashes.append((first, unreadable(other, _declared_twice(found, desired))))
        return _declared_twice(found, other)


def other_organization(desired: DesiredOrganization, found: Organization) -> ProviderError:
    """Return why an organization is not the one that its manifest is pinned to."""
    return OtherOrganization(
        f"{desired.reference!r} is {found.organization_id} now, but the manifest is pinned to "
        f"{desired.organization_id}; the name may belong to another customer by now: correct "
        "`organization`, or the pin"
    )


def _declared_twice(found: Organization, other: DesiredOrganization) -> ProviderError:
    return ProviderError(
        f"it is {found.organization_id}, and so is {other.reference!r} at {other.location}; "
        "put all connections of an organization into one document"
    )
