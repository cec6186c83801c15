"""The plan as Terraform prints one: symbols, indentation, order and words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import RESOURCE_TYPE, Action
from reconciler.reports.attributes import attribute_lines, symbol
from reconciler.reports.diagnostic_box import render_diagnostic
from reconciler.reports.plan_words import NO_CHANGES, participle, reason, shortcomings, verdict
from reconciler.reports.style import Style
from reconciler.reports.visible import count, quoted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change
    from reconciler.core.plan import Plan, PlanSummary, Unmanaged


def render_plan(plan: Plan, *, color: bool = False) -> str:
    """Return the whole plan: changes, counts, unmanaged connections and findings."""
    style = Style(color)
    return "\n".join(_sections(plan, style)) + "\n"


def render_change(change: Change, style: Style) -> str:
    """Return one change: what will be done, why, and attribute by attribute; no newline at its end."""
    lines = [f"{style.bold(f'  # {visible(str(change.address))}')} {_intention(change, style)}"]
    if change.reason:
        lines.append(f"  # ({reason(change)})")
    name = quoted(change.address.connection)
    lines.append(f"  {symbol(change.action, style)} {RESOURCE_TYPE} {name} {{")
    return "\n".join([*lines, *attribute_lines(change, style), "    }"])


def _sections(plan: Plan, style: Style) -> Iterator[str]:
    if plan.has_changes:
        yield _legend(plan.summary, style)
        yield "reconciler will perform the following actions:\n"
        for change in plan.changes:
            yield render_change(change, style) + "\n"
    yield _verdict(plan, style)
    yield from _counts(plan)
    for found in sorted(plan.findings, key=lambda one: one.is_error):
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


def _intention(change: Change, style: Style) -> str:
    word = participle(change.action)
    return f"will be {style.red(word) if change.action is Action.DELETE else word}"


def _verdict(plan: Plan, style: Style) -> str:
    words = verdict(plan)
    return style.verdict(words, is_good=True) if words == NO_CHANGES else style.bold(words)


def _counts(plan: Plan) -> Iterator[str]:
    summary = plan.summary
    yield from shortcomings(plan)
    if not plan.secrets_compared:
        yield "Secrets: not resolved and not compared."
    if summary.unmanaged:
        yield f"Unmanaged: {count(summary.unmanaged, 'connection')} declared nowhere, left alone."
        yield from (_unmanaged(one) for one in plan.unmanaged)
    if plan.risks:
        yield f"Risks: {len(plan.risks)}, shown below."
    if summary.warnings:
        yield f"Warnings: {summary.warnings}, shown below."


def _unmanaged(one: Unmanaged) -> str:
    connection = one.connection
    return (
        f"  {visible(one.organization)}: {quoted(connection.display_name or '')} "
        f"[id={visible(connection.connection_id or '')}]"
    )
