"""Text of a plan, in Terraform's symbols, indentation, order and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.change import RESOURCE_TYPE, Action, Delete, Update, attribute_changes
from reconciler.core.connection import FIELDS, WRITABLE_FIELDS
from reconciler.core.diff import element_changes
from reconciler.reports.escaping import escape_terminal, format_value, quote
from reconciler.reports.text_findings import diagnostic_box
from reconciler.reports.text_style import Style, count, width
from reconciler.reports.wording import (
    NO_CHANGES,
    SECRETS_NOT_COMPARED,
    SENSITIVE,
    UNCOMPARABLE,
    UNKNOWN,
    change_reason,
    participle,
    plan_limitations,
    plan_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.change import AttributeChange, Change
    from reconciler.core.diff import ElementChange
    from reconciler.core.plan import Plan, PlanSummary, Unmanaged

_NAME_WIDTH: Final = max(len(name) for name in FIELDS)


def render_plan(plan: Plan, *, color: bool = False) -> str:
    """Return the whole plan: changes, counts, unmanaged connections and findings."""
    style = Style(color)
    return "\n".join(_sections(plan, style)) + "\n"


def render_change(change: Change, style: Style) -> str:
    """Return one change: what will be done, why, and attribute by attribute; no newline at its end."""
    lines = [f"{style.bold(f'  # {escape_terminal(str(change.address))}')} {_intention(change, style)}"]
    if change.reason:
        lines.append(f"  # ({change_reason(change)})")
    name = quote(change.address.connection)
    lines.append(f"  {symbol(change.action, style)} {RESOURCE_TYPE} {name} {{")
    return "\n".join([*lines, *_attribute_lines(change, style), "    }"])


def render_origin(plan: Plan) -> str:
    """Return when the plan was made, from which commit, and for which project, in one line."""
    commit = f"commit {plan.commit}" if plan.commit else "no commit"
    return escape_terminal(f"Planned at {plan.created_at} from {commit}, for {plan.scope.principal}.") + "\n"


def symbol(action: Action, style: Style) -> str:
    """Return Terraform's mark for an action, one column wide."""
    marks = {
        Action.CREATE: style.green("+"),
        Action.UPDATE: style.yellow("~"),
        Action.DELETE: style.red("-"),
        Action.NO_OP: " ",
    }
    return marks[action]


def _sections(plan: Plan, style: Style) -> Iterator[str]:
    if plan.has_changes:
        yield _legend(plan.summary, style)
        yield "reconciler will perform the following actions:\n"
        for change in plan.changes:
            yield render_change(change, style) + "\n"
    yield _verdict(plan, style)
    yield from _counts(plan)
    for found in sorted(plan.findings, key=lambda one: one.is_error):
        yield "\n" + diagnostic_box(found, style)


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
    words = plan_verdict(plan)
    return style.verdict(words, is_good=True) if words == NO_CHANGES else style.bold(words)


def _counts(plan: Plan) -> Iterator[str]:
    summary = plan.summary
    yield from plan_limitations(plan)
    if not plan.secrets_compared:
        yield SECRETS_NOT_COMPARED
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
        f"  {escape_terminal(one.organization)}: {quote(connection.display_name or '')} "
        f"[id={escape_terminal(connection.connection_id or '')}]"
    )


def _attribute_lines(change: Change, style: Style) -> Iterator[str]:
    """Yield every attribute that changes, the connection's id, and how many others do not change."""
    hidden = 0
    for one in attribute_changes(change):
        if one.action is not Action.NO_OP or one.name == "connection_id":
            yield from _attribute(one, style)
        elif isinstance(change, Update) and one.name in change.uncomparable:
            yield _line(" ", one.name, UNCOMPARABLE)
        elif _is_hidden(change, one):
            hidden += 1
    if hidden:
        yield "        " + _hidden(hidden, "unchanged attribute", style)


def _is_hidden(change: Change, one: AttributeChange) -> bool:
    """Tell whether an unchanged attribute counts: it has a value that a manifest could declare.

    The live secret is not known here, so it counts only where one is declared.
    """
    if one.is_sensitive:
        return not isinstance(change, Delete) and getattr(change.declared, one.name) is not None
    return one.name in WRITABLE_FIELDS and bool(one.before)


def _hidden(number: int, noun: str, style: Style) -> str:
    return style.dim(f"# ({count(number, noun)} hidden)")


def _attribute(one: AttributeChange, style: Style) -> Iterator[str]:
    mark = symbol(_shown_action(one), style)
    if isinstance(one.before or one.after, tuple | Mapping) and not one.is_unknown:
        yield from _collection(one, mark, style)
    else:
        yield _line(mark, one.name, _scalar(one, style))


def _shown_action(one: AttributeChange) -> Action:
    """Return the action of the attribute itself: what had no value is added, not changed."""
    if one.action is Action.UPDATE and not one.before and not one.is_sensitive:
        return Action.CREATE
    return one.action


def _line(mark: str, name: str, value: str) -> str:
    return f"      {mark} {name:<{_NAME_WIDTH}} = {value}"


def _scalar(one: AttributeChange, style: Style) -> str:
    if one.action is Action.DELETE:
        gone = SENSITIVE if one.is_sensitive else format_value(one.before)
        return f"{gone} {style.dim('-> null')}"
    if one.is_sensitive:
        return SENSITIVE
    after = UNKNOWN if one.is_unknown else format_value(one.after)
    if one.action is Action.UPDATE and one.before:
        return f"{format_value(one.before)} {style.yellow('->')} {after}"
    return after


def _collection(one: AttributeChange, mark: str, style: Style) -> Iterator[str]:
    opening, closing = "{}" if isinstance(one.before or one.after, Mapping) else "[]"
    changes = element_changes(one.before, one.after)
    if not changes:
        yield _line(mark, one.name, opening + closing)
        return
    yield _line(mark, one.name, opening)
    yield from _elements(changes, style, is_mapping=opening == "{")
    unchanged = len(set(one.before or ()) - {element.key for element in changes})
    if unchanged:
        yield "            " + _hidden(unchanged, "unchanged element", style)
    ending = f" {style.dim('-> null')}" if one.action is Action.DELETE else ""
    yield f"        {closing}{ending}"


def _elements(changes: Sequence[ElementChange], style: Style, *, is_mapping: bool) -> Iterator[str]:
    names = [quote(one.key) for one in changes]
    widest = max(width(name) for name in names)
    for name, one in zip(names, changes, strict=True):
        mark = symbol(one.action, style)
        if is_mapping:
            yield f"          {mark} {name}{' ' * (widest - width(name))} = {_element_value(one, style)}"
        else:
            yield f"          {mark} {name},"


def _element_value(one: ElementChange, style: Style) -> str:
    if one.action is Action.UPDATE:
        return f"{format_value(one.before)} {style.yellow('->')} {format_value(one.after)}"
    return format_value(one.after if one.action is Action.CREATE else one.before)
