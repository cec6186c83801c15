"""Text of a plan, in Terraform's symbols, indentation, order and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action, Update, attribute_changes, is_unchanged
from reconciler.core.connection import FIELDS
from reconciler.core.diff import element_changes
from reconciler.core.errors import count
from reconciler.reports import wording
from reconciler.reports.escaping import escape_terminal, format_value, quote
from reconciler.reports.findings import finding_counters, group_findings, plan_findings
from reconciler.reports.text_style import PLAIN, finding_boxes, target_heading, width, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.change import AttributeChange, Change
    from reconciler.core.diff import ElementChange
    from reconciler.core.plan import Plan, PlanSummary, Unmanaged
    from reconciler.reports.text_style import Style

_NAME_WIDTH: Final = max(len(name) for name in FIELDS)
_MAX_UNMANAGED: Final = 10


def render_plan(plan: Plan, *, style: Style = PLAIN) -> str:
    """Return the whole plan: changes, counts, unmanaged connections and findings."""
    return "\n".join(_sections(plan, style)) + "\n"


def render_change(change: Change, style: Style) -> str:
    """Return one change: what will be done, why, and attribute by attribute; no newline at its end."""
    lines = [
        f"{style.bold(f'  # {escape_terminal(wording.subject(change.address))}')} {_intention(change, style)}"
    ]
    lines.append(f"  # {escape_terminal(wording.organization_note(change))}")
    if change.reason:
        lines.append(f"  # ({wording.change_reason(change)})")
    lines.append(f"  {symbol(change.action, style)} {wording.resource(change.address)} {{")
    return "\n".join([*lines, *_attribute_lines(change, style), "    }"])


def render_origin(plan: Plan) -> str:
    """Return when the plan was made, from which commit, and for which target, in one line."""
    commit = f"commit {plan.commit}" if plan.commit else "no commit"
    target = wording.describe_target(plan.scope, escape_terminal)
    return f"Planned at {escape_terminal(f'{plan.created_at} from {commit}')}, for {target}.\n"


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
    yield from target_heading(plan.scope, style)
    headlines = [f"  ! {escape_terminal(line)}" for line in wording.plan_headlines(plan)]
    if headlines:
        yield style.bold("Look at these first:")
        yield "\n".join(headlines) + "\n"
    if plan.has_changes:
        yield _legend(plan.summary, style)
        yield "reconciler will perform the following actions:\n"
        for change in plan.changes:
            yield render_change(change, style) + "\n"
    yield _verdict(plan, style)
    yield from _counts(plan, style)
    if plan.approvals:
        yield "Approvals:"
        yield from (f"  {escape_terminal(line)}" for line in wording.approval_lines(plan))
    groups = (*group_findings(plan.guards or ()), *plan_findings(plan))
    boxes = finding_boxes(sorted(groups, key=lambda group: group.is_error), style)
    yield from (f"\n{box}" for box in boxes)


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
    word = wording.participle(change.action)
    return f"will be {style.red(word) if change.action is Action.DELETE else word}"


def _verdict(plan: Plan, style: Style) -> str:
    words = wording.plan_verdict(plan)
    return style.verdict(words, is_good=True) if words == wording.NO_CHANGES else style.bold(words)


def _counts(plan: Plan, style: Style) -> Iterator[str]:
    summary = plan.summary
    for limitation in wording.plan_limitations(plan):
        yield from wrap(escape_terminal(limitation), style.columns)
    if not plan.secrets_compared:
        yield wording.SECRETS_NOT_COMPARED
    if summary.unmanaged:
        yield f"{wording.unmanaged_heading(summary.unmanaged)}, left unchanged."
        yield from unmanaged_lines(plan.unmanaged)
    for counter in finding_counters(plan_findings(plan), "risk", "warning", "note"):
        yield f"{counter.key.capitalize()}s: {counter.number}, shown below."


def unmanaged_lines(unmanaged: Sequence[Unmanaged]) -> Iterator[str]:
    """Yield a line for each connection that no manifest declares; of many, the first ten and a count."""
    yield from map(unmanaged_line, unmanaged[:_MAX_UNMANAGED])
    if hidden := unmanaged[_MAX_UNMANAGED:]:
        yield f"  and {len(hidden)} more; `reconciler list` shows all of them."


def unmanaged_line(unmanaged: Unmanaged) -> str:
    """Return the line of a connection that no manifest declares."""
    connection = unmanaged.connection
    return (
        f"  {escape_terminal(unmanaged.organization)}: {quote(connection.display_name or '')} "
        f"[id={escape_terminal(connection.connection_id or '')}]"
    )


def _attribute_lines(change: Change, style: Style) -> Iterator[str]:
    """Yield every attribute that changes, the connection's id, and how many others do not change."""
    hidden = 0
    for attribute in attribute_changes(change):
        if attribute.action is not Action.NO_OP or attribute.name == "connection_id":
            yield from _attribute(attribute, style)
        elif isinstance(change, Update) and attribute.name in change.uncomparable:
            yield _line(" ", attribute.name, wording.UNCOMPARABLE)
        elif is_unchanged(change, attribute):
            hidden += 1
    if hidden:
        yield "        " + _hidden(hidden, "unchanged attribute", style)


def _hidden(number: int, noun: str, style: Style) -> str:
    return style.dim(f"# ({count(number, noun)} hidden)")


def _attribute(attribute: AttributeChange, style: Style) -> Iterator[str]:
    mark = symbol(_displayed_action(attribute), style)
    if isinstance(attribute.before or attribute.after, tuple | Mapping) and not attribute.is_unknown:
        yield from _collection(attribute, mark, style)
    else:
        yield _line(mark, attribute.name, _scalar(attribute, style))


def _displayed_action(attribute: AttributeChange) -> Action:
    """Return the action of the attribute itself: what had no value is added, not changed."""
    if attribute.action is Action.UPDATE and not attribute.before and not attribute.is_sensitive:
        return Action.CREATE
    return attribute.action


def _line(mark: str, name: str, value: str) -> str:
    return f"      {mark} {name:<{_NAME_WIDTH}} = {value}"


def _scalar(attribute: AttributeChange, style: Style) -> str:
    if attribute.action is Action.DELETE:
        gone = wording.SENSITIVE if attribute.is_sensitive else format_value(attribute.before)
        return f"{gone} {style.dim('-> null')}"
    if attribute.is_sensitive:
        return f"{wording.SENSITIVE} {style.dim(wording.secret_note(attribute))}".rstrip()
    after = wording.UNKNOWN if attribute.is_unknown else format_value(attribute.after)
    if note := wording.metadata_note(attribute):
        after = f"{after} {style.dim(f'# {note}')}"
    if attribute.action is Action.UPDATE and attribute.before:
        return f"{format_value(attribute.before)} {style.yellow('->')} {after}"
    return after


def _collection(attribute: AttributeChange, mark: str, style: Style) -> Iterator[str]:
    opening, closing = "{}" if isinstance(attribute.before or attribute.after, Mapping) else "[]"
    changes = element_changes(attribute.before, attribute.after)
    if not changes:
        yield _line(mark, attribute.name, opening + closing)
        return
    yield _line(mark, attribute.name, opening)
    yield from _elements(changes, style, is_mapping=opening == "{")
    unchanged = len(set(attribute.before or ()) - {element.key for element in changes})
    if unchanged:
        yield "            " + _hidden(unchanged, "unchanged element", style)
    ending = f" {style.dim('-> null')}" if attribute.action is Action.DELETE else ""
    yield f"        {closing}{ending}"


def _elements(changes: Sequence[ElementChange], style: Style, *, is_mapping: bool) -> Iterator[str]:
    names = [quote(element.key) for element in changes]
    widest = max(width(name) for name in names)
    for name, element in zip(names, changes, strict=True):
        mark = symbol(element.action, style)
        if is_mapping:
            yield f"          {mark} {name}{' ' * (widest - width(name))} = {_element_value(element, style)}"
        else:
            yield f"          {mark} {name},"


def _element_value(element: ElementChange, style: Style) -> str:
    if element.action is Action.UPDATE:
        return f"{format_value(element.before)} {style.yellow('->')} {format_value(element.after)}"
    return format_value(element.after if element.action is Action.CREATE else element.before)
