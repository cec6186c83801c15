"""Putting the plans of all shards together: the plan that one run would have made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, PlanRefused, Severity
from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import MISSING_SHARDS, Plan, PlanSummary, with_warnings
from reconciler.core.shard import Share
from reconciler.policies import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.limits import Limits
    from reconciler.core.shard import Shard
    from reconciler.core.state import DesiredOrganization

_RULES: Final = {rule.id: number for number, rule in enumerate(RULES)}
_DELETE_LIMITS: Final = "too-many-deletes"
_FOUND_LAST: Final = "delete-external"
"""The code of findings that a run makes at its end, when it has read all organizations."""


def merge_plans(plans: Sequence[Plan], limits: Limits) -> Plan:
    """Return the plan of the whole estate; if shards are missing it says so, and cannot be applied.

    The limits on deletes are judged for all of it together.

    Raises:
        PlanRefused: the plans do not belong together, or one shard or organization is there twice.
    """
    shares = [_share_of(plan) for plan in plans]
    shards = [share.shard for share in shares]
    _check_alike(plans, shards)
    _check_organizations(plans)
    first = plans[0]
    where = {name: position for share in shares for name, position in share.positions.items()}
    changes = [change for plan in plans for change in plan.changes]
    unmanaged = [one for plan in plans for one in plan.unmanaged]
    summary = sum((plan.summary for plan in plans), start=PlanSummary())
    return Plan(
        scope=first.scope,
        created_at=min(plan.created_at for plan in plans),
        commit=first.commit,
        changes=tuple(sorted(changes, key=lambda change: where.get(change.address.organization, -1))),
        unmanaged=tuple(sorted(unmanaged, key=lambda one: where.get(one.organization, -1))),
        diagnostics=_diagnostics(plans, shares, where),
        blocks=(*_blocks(plans), *check_delete_limits(summary, limits), *_missing(shards)),
        risks=_risks(plans, where),
        summary=summary,
        secrets_compared=first.secrets_compared,
    )


def with_shard(
    plan: Plan,
    shard: Shard,
    declared: Sequence[DesiredOrganization],
    manifest_warnings: Iterable[Diagnostic],
) -> Plan:
    """Return the plan of a shard, with what `merge_plans` needs to put it in its place.

    Warnings about manifests that belong to another shard are left to that one.
    """
    own_warnings = [
        warning for warning in manifest_warnings if shard.holds(warning.address.partition("/")[0])
    ]
    plan = with_warnings(plan, own_warnings)
    shown = {
        *(change.address.organization for change in plan.changes),
        *(unmanaged.organization for unmanaged in plan.unmanaged),
        *(diagnostic.address.partition("/")[0] for diagnostic in plan.diagnostics),
    }
    positions = {
        organization.reference: position
        for position, organization in enumerate(declared, start=1)
        if organization.reference in shown and shard.holds(organization.reference)
    }
    return replace(plan, share=Share(shard=shard, positions=positions, remarks=len(own_warnings)))


def _share_of(plan: Plan) -> Share:
    if plan.share is None:
        raise PlanRefused(
            "one of the plans is of no shard: it was made without --shard, and is whole already"
        )
    return plan.share


def _check_alike(plans: Sequence[Plan], shards: Sequence[Shard]) -> None:
    for name, facts in (
        ("numbers of shards", {str(shard.count) for shard in shards}),
        ("projects", {f"{plan.scope.principal} at {plan.scope.base_url}" for plan in plans}),
        ("commits", {plan.commit or "none" for plan in plans}),
        ("answers to whether secrets are compared", {str(plan.secrets_compared) for plan in plans}),
    ):
        if len(facts) > 1:
            raise PlanRefused(f"the plans do not belong together, their {name} differ: {_listed(facts)}")
    twice = {str(shard) for shard in shards if shards.count(shard) > 1}
    if twice:
        raise PlanRefused(f"shard {_listed(twice)} is there twice: name each plan file once")


def _check_organizations(plans: Sequence[Plan]) -> None:
    """Find one organization under two names, which no single shard can see."""
    names: dict[str, str] = {}
    for plan in plans:
        for change in plan.changes:
            name = names.setdefault(change.organization_id, change.address.organization)
            if name != change.address.organization:
                raise PlanRefused(
                    f"{change.organization_id} is declared as {name!r} and as "
                    f"{change.address.organization!r}; put all connections of an organization into one "
                    "document"
                )


def _blocks(plans: Sequence[Plan]) -> tuple[Diagnostic, ...]:
    return tuple(found for plan in plans for found in plan.blocks if found.code != _DELETE_LIMITS)


def _missing(shards: Sequence[Shard]) -> tuple[Diagnostic, ...]:
    count = shards[0].count
    there = {shard.index for shard in shards}
    missing = [str(index) for index in range(1, count + 1) if index not in there]
    if not missing:
        return ()
    return (
        Diagnostic(
            Severity.ERROR,
            MISSING_SHARDS,
            f"the plans of {len(missing)} of {count} shards are missing: {', '.join(missing)}",
            detail="what they would change is not shown here; name the plan files of all shards",
        ),
    )


def _diagnostics(
    plans: Sequence[Plan], shares: Sequence[Share], where: Mapping[str, int]
) -> tuple[Diagnostic, ...]:
    """Return what was found in manifests, then what planning found, then what it found at its end."""
    pairs = list(zip(plans, shares, strict=True))
    remarks = [one for plan, share in pairs for one in plan.diagnostics[: share.remarks]]
    findings = [one for plan, share in pairs for one in plan.diagnostics[share.remarks :]]
    return (
        *sorted(remarks, key=lambda one: _position(one, where)),
        *sorted(findings, key=lambda one: (one.code == _FOUND_LAST, _position(one, where))),
    )


def _risks(plans: Sequence[Plan], where: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """Return all risks in the order in which `reconciler.policies.assess` finds them."""
    found = [risk for plan in plans for risk in plan.risks]
    return tuple(
        sorted(found, key=lambda risk: (not risk.is_error, _RULES.get(risk.code, 0), _position(risk, where)))
    )


def _position(found: Diagnostic, where: Mapping[str, int]) -> int:
    return where.get(found.address.partition("/")[0], -1)


def _listed(facts: set[str]) -> str:
    return ", ".join(sorted(facts))
