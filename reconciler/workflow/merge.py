"""Merges the plans of all shards into the plan that one run would have made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Diagnostic, PlanRefused, Severity
from reconciler.core.guards import check_delete_limits
from reconciler.core.plan import MISSING_SHARDS, Plan, PlanSummary, with_manifest_findings
from reconciler.core.run_selection import MergeInfo
from reconciler.policies import RULES
from reconciler.workflow.judgement import approve_merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.run_selection import Limits, Shard
    from reconciler.core.state import DesiredOrganization

_RULE_ORDER: Final = {rule.id: number for number, rule in enumerate(RULES)}
_DELETE_LIMITS: Final = "too-many-deletes"
_REPORTED_LAST: Final = "delete-external"
"""The code of warnings that a run reports at its end, when it has read all organizations."""


def merge_plans(plans: Sequence[Plan], limits: Limits) -> Plan:
    """Return the plan of the whole project; if shards are missing, it is blocked.

    The delete limits apply to all shards together.

    Raises:
        PlanRefused: the plans do not belong together, or a shard or an organization occurs twice.
    """
    infos = [_merge_info(plan) for plan in plans]
    shards = [info.shard for info in infos]
    _check_alike(plans, shards)
    _check_organizations(plans)
    first = plans[0]
    positions = {name: position for info in infos for name, position in info.positions.items()}
    changes = [change for plan in plans for change in plan.changes]
    unmanaged = [connection for plan in plans for connection in plan.unmanaged]
    summary = sum((plan.summary for plan in plans), start=PlanSummary())
    merged = Plan(
        scope=first.scope,
        created_at=min(plan.created_at for plan in plans),
        commit=first.commit,
        inputs=first.inputs,
        changes=tuple(sorted(changes, key=lambda change: positions.get(change.address.organization, -1))),
        unmanaged=tuple(sorted(unmanaged, key=lambda connection: positions.get(connection.organization, -1))),
        diagnostics=_diagnostics(plans, infos, positions),
        blocks=(*_blocks(plans), *check_delete_limits(summary, limits), *_missing(shards)),
        risks=_risks(plans, positions),
        summary=summary,
        refused_organizations=tuple(name for plan in plans for name in plan.refused_organizations),
        secrets_compared=first.secrets_compared,
        guards=_guards(plans),
        already_live=tuple(change for plan in plans for change in plan.already_live),
        ignored=tuple(difference for plan in plans for difference in plan.ignored),
    )
    return approve_merged(merged, limits, [use for plan in plans for use in plan.approvals])


def with_shard(
    plan: Plan, shard: Shard, declared: Sequence[DesiredOrganization], manifest_warnings: Iterable[Diagnostic]
) -> Plan:
    """Return the plan of a shard, with what `merge_plans` needs to put it in its place.

    Warnings about manifests that belong to another shard are left to that one.
    """
    own_warnings = [
        warning for warning in manifest_warnings if shard.holds(warning.address.partition("/")[0])
    ]
    plan = with_manifest_findings(plan, own_warnings)
    reported = {
        *(change.address.organization for change in plan.changes),
        *(unmanaged.organization for unmanaged in plan.unmanaged),
        *(diagnostic.address.partition("/")[0] for diagnostic in plan.diagnostics),
    }
    positions = {
        organization.reference: position
        for position, organization in enumerate(declared, start=1)
        if organization.reference in reported and shard.holds(organization.reference)
    }
    return replace(
        plan, merge_info=MergeInfo(shard=shard, positions=positions, manifest_warnings=len(own_warnings))
    )


def _merge_info(plan: Plan) -> MergeInfo:
    if plan.merge_info is None:
        raise PlanRefused("one of the plans was made without --shard: it covers all organizations already")
    return plan.merge_info


def _check_alike(plans: Sequence[Plan], shards: Sequence[Shard]) -> None:
    for name, values in (
        ("numbers of shards", {str(shard.count) for shard in shards}),
        ("projects", {f"{plan.scope.principal} at {plan.scope.base_url}" for plan in plans}),
        ("commits", {plan.commit or "none" for plan in plans}),
        ("inputs", {plan.inputs.digest if plan.inputs else "none" for plan in plans}),
        ("settings of --no-secrets", {"off" if plan.secrets_compared else "on" for plan in plans}),
    ):
        if len(values) > 1:
            raise PlanRefused(f"the plans do not belong together, their {name} differ: {_join(values)}")
    duplicates = {str(shard) for shard in shards if shards.count(shard) > 1}
    if duplicates:
        raise PlanRefused(f"shard {_join(duplicates)} is given twice: pass each plan file once")


def _check_organizations(plans: Sequence[Plan]) -> None:
    """Refuse an organization that is declared under two names, which no single shard can detect."""
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
    """Return the blocks of all plans; one about the whole project stands in several of them."""
    blocks = (block for plan in plans for block in plan.blocks if block.code != _DELETE_LIMITS)
    return tuple(dict.fromkeys(blocks))


def _missing(shards: Sequence[Shard]) -> tuple[Diagnostic, ...]:
    count = shards[0].count
    given = {shard.index for shard in shards}
    missing = [str(index) for index in range(1, count + 1) if index not in given]
    if not missing:
        return ()
    return (
        Diagnostic(
            Severity.ERROR,
            MISSING_SHARDS,
            f"the plans of {len(missing)} of {count} shards are missing: {', '.join(missing)}",
            detail="their changes are not shown here; pass the plan files of all shards",
        ),
    )


def _diagnostics(
    plans: Sequence[Plan], infos: Sequence[MergeInfo], positions: Mapping[str, int]
) -> tuple[Diagnostic, ...]:
    """Return the warnings about manifests, then those of planning, then those reported at its end."""
    pairs = list(zip(plans, infos, strict=True))
    of_manifests = [warning for plan, info in pairs for warning in plan.diagnostics[: info.manifest_warnings]]
    of_planning = [finding for plan, info in pairs for finding in plan.diagnostics[info.manifest_warnings :]]
    return (
        *sorted(of_manifests, key=lambda warning: _position(warning, positions)),
        *sorted(
            of_planning, key=lambda finding: (finding.code == _REPORTED_LAST, _position(finding, positions))
        ),
    )


def _risks(plans: Sequence[Plan], positions: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """Return all risks in the order in which `reconciler.policies.assess` reports them."""

    def order(risk: Diagnostic) -> tuple[bool, int, int]:
        return not risk.is_error, _RULE_ORDER.get(risk.code, 0), _position(risk, positions)

    return tuple(sorted((risk for plan in plans for risk in plan.risks), key=order))


def _guards(plans: Sequence[Plan]) -> tuple[Diagnostic, ...] | None:
    """Return the lowered guards that any plan names; None if one of them was made without a base."""
    compared = [plan.guards for plan in plans if plan.guards is not None]
    if len(compared) < len(plans):
        return None
    return tuple(dict.fromkeys(guard for guards in compared for guard in guards))


def _position(diagnostic: Diagnostic, positions: Mapping[str, int]) -> int:
    return positions.get(diagnostic.address.partition("/")[0], -1)


def _join(values: set[str]) -> str:
    return ", ".join(sorted(values))
