"""The lines between the braces of one change: its attributes, aligned and marked as Terraform does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action, Delete, Update, attribute_changes
from reconciler.core.connection import FIELDS, WRITABLE_FIELDS
from reconciler.core.diff import element_changes
from reconciler.reports.visible import count, quoted, value_text, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.change import AttributeChange, Change
    from reconciler.core.diff import ElementChange
    from reconciler.reports.style import Style

UNKNOWN: Final = "(known after apply)"
SENSITIVE: Final = "(sensitive value)"
UNCOMPARABLE: Final = "(cannot be compared)"

_NAME_WIDTH: Final = max(len(name) for name in FIELDS)


def attribute_lines(change: Change, style: Style) -> Iterator[str]:
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


def symbol(action: Action, style: Style) -> str:
    """Return Terraform's mark for an action, one column wide."""
    marks = {
        Action.CREATE: style.green("+"),
        Action.UPDATE: style.yellow("~"),
        Action.DELETE: style.red("-"),
        Action.NO_OP: " ",
    }
    return marks[action]


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
        gone = SENSITIVE if one.is_sensitive else value_text(one.before)
        return f"{gone} {style.dim('-> null')}"
    if one.is_sensitive:
        return SENSITIVE
    after = UNKNOWN if one.is_unknown else value_text(one.after)
    if one.action is Action.UPDATE and one.before:
        return f"{value_text(one.before)} {style.yellow('->')} {after}"
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
    names = [quoted(one.key) for one in changes]
    widest = max(width(name) for name in names)
    for name, one in zip(names, changes, strict=True):
        mark = symbol(one.action, style)
        if is_mapping:
            yield f"          {mark} {name}{' ' * (widest - width(name))} = {_element_value(one, style)}"
        else:
            yield f"          {mark} {name},"


def _element_value(one: ElementChange, style: Style) -> str:
    if one.action is Action.UPDATE:
        return f"{value_text(one.before)} {style.yellow('->')} {value_text(one.after)}"
    return value_text(one.after if one.action is Action.CREATE else one.before)
