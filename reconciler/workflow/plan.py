"""Planning: read what is live, organization by organization, and decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reconciler.core.address import Address
from reconciler.core.errors import AccessDenied, ProviderError, UsageError
from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import Plan, summarize
from reconciler.core.planner import plan_organization, unreadable
from reconciler.workflow.parallel import for_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.limits import Limits
    from reconciler.core.plan import OrganizationPlan, Scope
    from reconciler.core.planner import Choices
    from reconciler.core.state import DesiredOrganization, DesiredState, Organization
    from reconciler.providers.base import Reader


class Progress(Protocol):
    """Is told how far the reading has come."""

    def advanced(self, done: int, total: int) -> None:
        """Take note that ``done`` of ``total`` organizations have been read."""
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
) -> Plan:
    """Plan every organization that is aimed at.

    One that cannot be read or is refused does not hide the others.

    Raises:
        UsageError: a target means nothing that is declared.
        AccessDenied: the credentials are not accepted; nothing else would be either.
    """
    plans = await _read_and_decide(
        aim(desired, choices),
        reader=reader,
        choices=choices,
        concurrency=limits.concurrency,
        progress=progress,
    )
    summary = summarize(plans)
    return Plan(
        scope=circumstances.scope,
        created_at=circumstances.created_at,
        commit=circumstances.commit,
        changes=tuple(change for plan in plans for change in plan.changes),
        unmanaged=tuple(one for plan in plans for one in plan.unmanaged),
        diagnostics=tuple(found for plan in plans for found in plan.diagnostics),
        blocks=check_delete_limits(summary, limits),
        summary=summary,
        secrets_compared=choices.compares_secrets,
    )


def aim(desired: DesiredState, choices: Choices) -> tuple[DesiredOrganization, ...]:
    """Return the organizations in which something may change.

    Raises:
        UsageError: a target, or an address to rotate, means nothing that is declared.
    """
    for pattern in (*choices.targets, *choices.rotate):
        if not any(_may_mean(pattern, organization) for organization in desired.organizations):
            raise UsageError(f"no declared connection matches {pattern!r}; addresses look like acme/okta")
    if not choices.targets:
        return desired.organizations
    return tuple(
        organization
        for organization in desired.organizations
        if any(_may_mean(target, organization) for target in choices.targets)
    )


def _may_mean(pattern: str, organization: DesiredOrganization) -> bool:
    if any(one.address.matches(pattern) for one in organization.connections):
        return True
    whole = pattern.partition("/")[0]
    return organization.prune and Address(organization.reference, "").matches(f"{whole}/*")


async def _read_and_decide(
    aimed: Sequence[DesiredOrganization],
    *,
    reader: Reader,
    choices: Choices,
    concurrency: int,
    progress: Progress,
) -> tuple[OrganizationPlan, ...]:
    """Take one organization after the other; keep their plans, not what was read."""
    found = await reader.find_organizations([one.reference for one in aimed])
    claims = Counter(one.organization_id for one in found.values() if not isinstance(one, ProviderError))
    plans: dict[int, OrganizationPlan] = {}

    async def plan_one(item: tuple[int, DesiredOrganization]) -> None:
        index, desired = item
        organization = _usable(desired, found[desired.reference], claims)
        plans[index] = await _plan_one(desired, organization, reader, choices)
        progress.advanced(len(plans), len(aimed))

    await for_each(enumerate(aimed), plan_one, concurrency=concurrency)
    return tuple(plans[index] for index in range(len(aimed)))


def _usable(
    desired: DesiredOrganization, found: Organization | ProviderError, claims: Counter[str]
) -> Organization | ProviderError:
    """Return the organization, or why it must not be planned."""
    if isinstance(found, ProviderError):
        return found
    if desired.organization_id not in {None, found.organization_id}:
        return ProviderError(
            f"{desired.reference!r} is {found.organization_id} now, but the manifest is pinned to "
            f"{desired.organization_id}; the name may belong to another customer by now: correct "
            "`organization`, or the pin"
        )
    if claims[found.organization_id] > 1:
        return ProviderError(
            f"{desired.reference!r} is {found.organization_id}, which another manifest declares under "
            "another name; put both into one document"
        )
    return found


async def _plan_one(
    desired: DesiredOrganization,
    organization: Organization | ProviderError,
    reader: Reader,
    choices: Choices,
) -> OrganizationPlan:
    if isinstance(organization, ProviderError):
        return unreadable(desired, organization)
    try:
        live = await reader.read_organization(organization)
    except AccessDenied:
        raise
    except ProviderError as error:
        return unreadable(desired, error)
    return plan_organization(desired, live, choices)
