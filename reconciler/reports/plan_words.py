"""The sentences of a plan that every format says alike, without any markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action, ActionReason
from reconciler.reports.visible import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change
    from reconciler.core.plan import Plan

NO_CHANGES: Final = "No changes. Your infrastructure matches the configuration."

_PARTICIPLES: Final = {
    Action.NO_OP: "left alone",
    Action.CREATE: "created",
    Action.UPDATE: "updated in-place",
    Action.DELETE: "destroyed",
}

_REASONS: Final = {
    ActionReason.RESUMES_CREATE: "resumes an interrupted create",
    ActionReason.DECLARED_ABSENT: "because its manifest says `state: absent`",
    ActionReason.NOT_DECLARED: "because it is not declared and its organization says `prune: true`",
}


def verdict(plan: Plan) -> str:
    """Return the line that other programs look for; "no changes" is said only if that is certain."""
    summary = plan.summary
    if plan.has_changes:
        return f"Plan: {summary.add} to add, {summary.change} to change, {summary.destroy} to destroy."
    if plan.is_complete and not plan.has_errors:
        return NO_CHANGES
    if summary.refused == summary.organizations:
        return "Nothing could be planned."
    return "No differences were found in what could be planned."


def shortcomings(plan: Plan) -> Iterator[str]:
    """Yield what this plan does not know, or cannot do."""
    summary = plan.summary
    if plan.shard:
        yield f"Shard {plan.shard}: the organizations of other shards are not in this plan."
    if summary.refused:
        yield (
            f"Refused: {summary.refused} of {count(summary.organizations, 'organization')}; "
            "this plan is incomplete, the errors below say why."
        )
    if plan.refusals:
        yield f"Blocked: {count(len(plan.refusals), 'error')} below; nothing of this plan can be applied."


def participle(action: Action) -> str:
    """Return what will have been done, as in "will be created"."""
    return _PARTICIPLES[action]


def reason(change: Change) -> str:
    """Return why, or nothing where the differences are reason enough."""
    return _REASONS[change.reason] if change.reason else ""
