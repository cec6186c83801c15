"""The plan as a comment: verdict, what is risky or refused, a table of organizations, folded diffs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Action, Update
from reconciler.reports.markdown import code, fence, folded, html_code, origin
from reconciler.reports.markdown_findings import findings_list, more
from reconciler.reports.page import Page, as_many_as_fit
from reconciler.reports.plan_text import render_change
from reconciler.reports.plan_words import participle, shortcomings, verdict
from reconciler.reports.style import Style
from reconciler.reports.urgency import concerns_of, most_urgent_changes
from reconciler.reports.visible import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.change import Change
    from reconciler.core.plan import Plan, Unmanaged
    from reconciler.reports.urgency import Concern

MOST_BYTES: Final = 64_000
"""A comment may have 65,536 characters; what a publisher puts around the report must fit as well."""

_RESERVE: Final = 1_500
"""Bytes kept for the lines that say what is left out."""

_MARK: Final = re.compile(r"^( +)([+~-]) ")
_ROW: Final = "| Organization | Add | Change | Destroy | Findings |\n|---|--:|--:|--:|---|"


def plan_markdown(plan: Plan, *, color: bool = False, most_bytes: int = MOST_BYTES) -> str:
    """Return the plan in GitHub-flavoured Markdown, at most ``most_bytes`` of UTF-8.

    Where not everything fits, the most urgent is kept and the rest is counted.
    """
    del color  # Markdown has none; every format takes the same arguments
    page = Page(most_bytes - _RESERVE)
    concerns = concerns_of(plan)
    page.write(_heading(plan))
    page.write("\n".join(f"> {line}" for line in _remarks(plan)))
    page.write(findings_list(plan.findings, page.room(0.4)))
    page.write(_table(concerns, page.room(0.4)))
    _write_diffs(page, most_urgent_changes(concerns))
    page.write(_unmanaged(plan.unmanaged, page.room(0.5)))
    page.most_bytes += _RESERVE
    page.write(origin(plan.scope, plan.commit, plan.created_at))
    return page.text()


def diff_of(change: Change) -> str:
    """Return a change as a fenced diff: the marks stand at the line's beginning, where they are coloured."""
    _address, *lines = render_change(change, Style(color=False)).split("\n")
    return fence((_MARK.sub(_mark_first, line) for line in lines), "diff")


def unmanaged_list(unmanaged: Sequence[Unmanaged], most_bytes: int) -> str:
    """Return the connections that nobody declares, folded away."""
    shown, left = as_many_as_fit(unmanaged, _unmanaged_item, most_bytes)
    if left:
        shown.append(f"- … {more(len(left), 'connection')}")
    number = count(len(unmanaged), "connection")
    return folded(f"Unmanaged: {number} declared nowhere, left alone", "\n".join(shown))


def _heading(plan: Plan) -> str:
    return f"### {_icon(plan)}{verdict(plan)}"


def _icon(plan: Plan) -> str:
    if plan.has_errors or not plan.is_complete:
        return "❌ "
    if plan.summary.destroy or plan.findings:
        return "⚠️ "
    return "" if plan.has_changes else "✅ "


def _remarks(plan: Plan) -> Iterator[str]:
    remarks = list(shortcomings(plan))
    if not plan.secrets_compared:
        remarks.append("Secrets: not resolved and not compared.")
    if remarks:
        yield "[!CAUTION]" if plan.has_errors else "[!NOTE]"
        yield "<br>".join(remarks)


def _table(concerns: Sequence[Concern], most_bytes: int) -> str:
    if not concerns:
        return ""
    shown, left = as_many_as_fit(concerns, _row, most_bytes)
    table = "\n".join([_ROW, *shown])
    return f"{table}\n\n{_rest(left)}" if left else table


def _row(concern: Concern) -> str:
    findings = [count(concern.errors, "error")] if concern.errors else []
    findings += [count(concern.warnings, "warning")] if concern.warnings else []
    numbers = (str(number or "") for number in (concern.add, concern.change, concern.destroy))
    return f"| {' | '.join((code(concern.reference), *numbers, ', '.join(findings)))} |"


def _rest(left: Sequence[Concern]) -> str:
    add, change, destroy = (sum(getattr(one, name) for one in left) for name in ("add", "change", "destroy"))
    return (
        f"… {more(len(left), 'organization')} with {add:,} to add, {change:,} to change, "
        f"{destroy:,} to destroy."
    )


def _write_diffs(page: Page, changes: Sequence[Change]) -> None:
    diffs, left = as_many_as_fit(changes, _folded_diff, page.room())
    page.write("\n\n".join(diff.strip("\n") for diff in diffs))
    page.most_bytes += _RESERVE // 3
    if left:
        page.write(f"… {more(len(left), 'change')}, too large to show here: {_tally(left)}.")


def _tally(changes: Sequence[Change]) -> str:
    actions = [one.action for one in changes]
    words = ((Action.CREATE, "to add"), (Action.UPDATE, "to change"), (Action.DELETE, "to destroy"))
    return ", ".join(f"{actions.count(action):,} {word}" for action, word in words if action in actions)


def _folded_diff(change: Change) -> str:
    intention = f"will be {participle(change.action)}"
    if change.action is Action.DELETE:
        intention = f"will be <b>{participle(change.action)}</b>"
    fields = f": {', '.join(change.changed)}" if isinstance(change, Update) else ""
    return folded(f"{html_code(str(change.address))} {intention}{fields}", diff_of(change))


def _mark_first(match: re.Match[str]) -> str:
    indent, mark = match.groups()
    return f"{'!' if mark == '~' else mark}{indent[1:]}  "


def _unmanaged(unmanaged: Sequence[Unmanaged], most_bytes: int) -> str:
    return unmanaged_list(unmanaged, most_bytes) if unmanaged else ""


def _unmanaged_item(one: Unmanaged) -> str:
    connection = one.connection
    name, identity = code(connection.display_name or ""), code(connection.connection_id or "")
    return f"- {code(one.organization)}: {name} {identity}"
