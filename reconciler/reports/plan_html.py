"""The plan as an HTML page: values side by side, to be filtered by organization, action and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action, Update, attribute_changes
from reconciler.core.diff import element_changes
from reconciler.reports.attributes import SENSITIVE, UNCOMPARABLE, UNKNOWN
from reconciler.reports.html import html_text
from reconciler.reports.html_page import (
    Card,
    Group,
    HtmlPage,
    Line,
    Row,
    facts_of,
    notes_of,
    unmanaged_of,
)
from reconciler.reports.plan_words import participle, reason, shortcomings, verdict
from reconciler.reports.prose import segments
from reconciler.reports.urgency import concerns_of, most_urgent_findings
from reconciler.reports.visible import count, value_text, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import AttributeChange, Change, Value
    from reconciler.core.plan import Plan
    from reconciler.reports.urgency import Concern

_ACTIONS: Final = ((Action.CREATE, "Create"), (Action.UPDATE, "Update"), (Action.DELETE, "Destroy"))

_MOST_WITH_UNCHANGED: Final = 500
"""A plan of more changes is shown without what stays the same; the page would grow too heavy."""

_NOTHING: Final = (Line("(none)", is_note=True),)


def plan_html(plan: Plan, *, color: bool = False) -> str:
    """Return the whole plan as one HTML file."""
    del color  # a page chooses its own; every format takes the same arguments
    remarks = (
        *shortcomings(plan),
        *(() if plan.secrets_compared else ("Secrets: not resolved and not compared.",)),
    )
    concerns = [one for one in concerns_of(plan) if one.changes]
    present = {change.action for change in plan.changes}
    page = HtmlPage(
        title="Plan",
        verdict=verdict(plan),
        tone=_tone(plan),
        remarks=remarks,
        notes=notes_of(most_urgent_findings(plan.findings)),
        actions=tuple((action.value, label) for action, label in _ACTIONS if action in present),
        groups=tuple(_group(one, is_whole=len(plan.changes) <= _MOST_WITH_UNCHANGED) for one in concerns),
        lists=_lists(plan),
        facts=facts_of(plan.scope, plan.commit, plan.created_at),
    )
    return html_text(page)


def _tone(plan: Plan) -> str:
    if plan.has_errors or not plan.is_complete:
        return "bad"
    if plan.summary.destroy or plan.findings:
        return "attention"
    return "plain" if plan.has_changes else "good"


def _lists(plan: Plan) -> tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]:
    if not plan.unmanaged:
        return ()
    title = f"Unmanaged: {count(len(plan.unmanaged), 'connection')} declared nowhere, left alone"
    return ((title, unmanaged_of(plan.unmanaged)),)


def _group(concern: Concern, *, is_whole: bool) -> Group:
    numbers = ((concern.add, "to add"), (concern.change, "to change"), (concern.destroy, "to destroy"))
    return Group(
        organization=visible(concern.reference),
        counts=tuple(f"{number:,} {words}" for number, words in numbers if number),
        cards=tuple(_card(change, is_whole=is_whole) for change in concern.changes),
    )


def _card(change: Change, *, is_whole: bool) -> Card:
    rows = tuple(_rows(change))
    return Card(
        address=visible(str(change.address)),
        action=change.action.value,
        intention=f"will be {participle(change.action)}",
        reason=segments(reason(change)),
        place=visible(str(change.location)) if change.location else "",
        rows=rows if is_whole else tuple(row for row in rows if row.changes),
        unchanged=sum(not row.changes for row in rows),
    )


def _rows(change: Change) -> Iterator[Row]:
    hidden = change.uncomparable if isinstance(change, Update) else ()
    for one in attribute_changes(change):
        if one.name in hidden and one.action is Action.NO_OP:
            yield Row(one.name, _note(UNCOMPARABLE), _note(UNCOMPARABLE), changes=False)
        elif not one.is_sensitive or one.action is not Action.NO_OP:
            yield Row(one.name, _before(one), _after(one), changes=one.action is not Action.NO_OP)


def _before(one: AttributeChange) -> tuple[Line, ...]:
    if one.action is Action.CREATE:
        return _NOTHING
    return _note(SENSITIVE) if one.is_sensitive else _value(one.before, one.after, "-", one)


def _after(one: AttributeChange) -> tuple[Line, ...]:
    if one.action is Action.DELETE:
        return _NOTHING
    if one.is_unknown:
        return _note(UNKNOWN)
    return _note(SENSITIVE) if one.is_sensitive else _value(one.after, one.before, "+", one)


def _value(value: Value | None, other: Value | None, mark: str, one: AttributeChange) -> tuple[Line, ...]:
    """Return one side of an attribute: what is only on this side, or differs, is marked."""
    if not value:
        return _NOTHING
    if isinstance(value, str):
        return (Line(value_text(value), "" if one.action is Action.NO_OP else mark),)
    differing = {element.key for element in element_changes(value, other)} if value != other else set()
    pairs = value.items() if isinstance(value, Mapping) else ((element, None) for element in value)
    return tuple(
        Line(
            value_text(key) if text is None else f"{value_text(key)} = {value_text(text)}",
            mark if key in differing else "",
        )
        for key, text in pairs
    )


def _note(words: str) -> tuple[Line, ...]:
    return (Line(words, is_note=True),)
