"""The plan as Terraform prints one: symbols, indentation, order and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from reconciler.core.change import RESOURCE_TYPE, Action, ActionReason, Create, Delete, Update
from reconciler.reports.attributes import attribute_lines, symbol
from reconciler.reports.diagnostic_box import render_diagnostic
from reconciler.reports.style import Style
from reconciler.reports.visible import count, quoted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change
    from reconciler.core.plan import Plan, PlanSummary, Unmanaged

NO_CHANGES: Final = "No changes. Your infrastructure matches the configuration."

_REASONS: Final = {
    ActionReason.RESUMES_CREATE: "resumes an interrupted create",
    ActionReason.DECLARED_ABSENT: "because its manifest says `state: absent`",
    ActionReason.NOT_DECLARED: "because it is not declared and its organization says `prune: true`",
}


def render_plan(plan: Plan, *, color: bool = False) -> str:
    """Return the whole plan: changes, counts, unmanaged connections and findings."""
    style = Style(color)
    return "\n".join(_sections(plan, style)) + "\n"


def _sections(plan: Plan, style: Style) -> Iterator[str]:
    if plan.has_changes:
        yield _legend(plan.summary, style)
        yield "reconciler will perform the following actions:\n"
        for change in plan.changes:
            yield _change(change, style) + "\n"
    yield _verdict(plan, style)
    yield from _counts(plan)
    for found in sorted((*plan.diagnostics, *plan.blocks), key=lambda one: one.is_error):
        yield "\n" + render_diagnostic(found, style)


def _legend(summary: PlanSummary, style: Style) -> str:
    lines = ["Resource actions are indicated with the following symbols:"]
    meanings = (
        (summary.add, Action.CREATE, "create"),
        (summary.change, Action.UPDATE, "update in-place"),
        (summary.destroy, Action.DELETE, "destroy"),
    )
    lines += [f"  {symbol(action, style)} {words}" for number, action, words in meanings if number]
    return "\n".join(lines) + "\n"


def _change(change: Change, style: Style) -> str:
    lines = [f"{style.bold(f'  # {visible(str(change.address))}')} {_intention(change, style)}"]
    if change.reason:
        lines.append(f"  # ({_REASONS[change.reason]})")
    name = quoted(change.address.connection)
    lines.append(f"  {symbol(change.action, style)} {RESOURCE_TYPE} {name} {{")
    return "\n".join([*lines, *attribute_lines(change, style), "    }"])


def _intention(change: Change, style: Style) -> str:
    match change:
        case Create():
            return "will be created"
        case Update():
            return "will be updated in-place"
        case Delete():
            return f"will be {style.red('destroyed')}"
        case _:
            assert_never(change)


def _verdict(plan: Plan, style: Style) -> str:
    """Return the line that other programs look for; "no changes" is said only if that is certain."""
    summary = plan.summary
    if plan.has_changes:
        return style.bold(
            f"Plan: {summary.add} to add, {summary.change} to change, {summary.destroy} to destroy."
        )
    if plan.is_complete and not plan.has_errors:
        return style.verdict(NO_CHANGES, is_good=True)
    if summary.refused == summary.organizations:
        return style.bold("Nothing could be planned.")
    return style.bold("No differences were found in what could be planned.")


def _counts(plan: Plan) -> Iterator[str]:
    summary = plan.summary
    yield from _shortcomings(plan)
    if not plan.secrets_compared:
        yield "Secrets: not resolved and not compared."
    if summary.unmanaged:
        yield f"Unmanaged: {count(summary.unmanaged, 'connection')} declared nowhere, left alone."
        yield from (_unmanaged(one) for one in plan.unmanaged)
    if summary.warnings:
        yield f"Warnings: {summary.warnings}, shown below."


def _shortcomings(plan: Plan) -> Iterator[str]:
    summary = plan.summary
    if not plan.is_complete:
        yield (
            f"Refused: {summary.refused} of {count(summary.organizations, 'organization')}; "
            "this plan is incomplete, the errors below say why."
        )
    if plan.blocks:
        yield f"Blocked: {count(len(plan.blocks), 'error')} below; nothing of this plan can be applied."


def _unmanaged(one: Unmanaged) -> str:
    connection = one.connection
    return (
        f"  {visible(one.organization)}: {quoted(connection.display_name or '')} "
        f"[id={visible(connection.connection_id or '')}]"
    )
