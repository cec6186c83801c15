"""Renders a report as GitHub-flavored Markdown of limited size, for comments, issues and job summaries.

The verdict, what is risky or refused, an overview as a table, and changes as folded diffs. Where not
everything fits, the most urgent is kept and the rest is counted.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import count
from reconciler.reports import wording
from reconciler.reports.escaping import (
    MAX_NAME,
    clip,
    escape_terminal,
    markdown_code,
    markdown_fence,
    markdown_message,
    short_time,
)
from reconciler.reports.markdown_page import Page, fit, more, utf8_size
from reconciler.reports.report import Cell, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.reports.report import (
        Card,
        Category,
        Difference,
        Entry,
        FindingGroup,
        ItemList,
        Origin,
        Report,
        Section,
        Step,
        Table,
    )

MAX_BYTES: Final = 64_000
"""A comment may have 65,536 characters; what a publisher puts around the report must fit as well."""

_RESERVE: Final = 1_500
"""Bytes kept for the lines that say what is left out, and where the report comes from."""

_RESERVE_FOR_DIFFS: Final = 500
"""The part of the reserve for the line that counts diffs which do not fit."""

_ICONS: Final = {
    Status.GOOD: "✅ ",
    Status.WARNED: "✅ ",
    Status.PLAIN: "",
    Status.ATTENTION: "⚠️ ",
    Status.BAD: "❌ ",
}

_WORDS: Final = {"risk": "⛔", "refused": "❌", "error": "❌", "failed": "❌", "warning": "⚠️", "note": "📝"}

_ENVIRONMENTS: Final = {"live": "🔴 LIVE", "test": "🧪 test"}

_MAX_VALUE: Final = 300
"""Characters of a value that decides who can sign in: room for any host; the diff has the whole value."""

_MOST_ADDRESSES: Final = 20
"""Addresses of which a finding says the same; the table has an entry for each organization."""

_RESERVE_FOR_COUNT: Final = 100

_MOST_OPEN_LINES: Final = 40
"""Lines to paste that are shown at once; more are folded."""

_PLAIN_SINCE: Final = re.compile(r"new|since \d{4}-\d\d-\d\d", re.ASCII)

_MARK: Final = re.compile(r"^( +)([+~-]) ")


def render_markdown(report: Report, *, max_bytes: int = MAX_BYTES) -> str:
    """Return the report in at most ``max_bytes`` of UTF-8, what decides first."""
    page = Page(max_bytes - _RESERVE)
    page.write(_headline(report))
    page.write(_differences(report, page.share(0.8)))
    page.write(_marked_list("🔓", "Lowered guards", report.guards, page.share(0.4)))
    page.write(_marked_list("🔏", "Approvals", report.approvals, page.share(0.3)))
    remarks = "\n".join(_remarks(report))
    page.write(remarks)
    has_body = report.table is not None or bool(report.lists)
    if report.findings and not remarks and (report.differences or report.guards or report.approvals):
        page.write(f"**Findings**: {len(report.findings):,}")  # or else the list above would go on
    page.write(render_findings(report.findings, page.share(0.4 if has_body else 0.8)))
    if report.outputs:
        page.write(_outputs(report.outputs, page.share(0.5)))
    for step in report.steps:
        page.write(_step(step, page.share(0.4)))
    if report.table:
        page.write(_table(report.table, page.share(0.4 if _has_diffs(report) else 0.8)))
    for section in report.sections:
        page.write(_section(section, page.share(0.3)))
    _write_diffs(page, report)
    for item_list in report.lists:
        page.write(_item_list(item_list, page.share(0.4)))
    page.max_bytes += _RESERVE - _RESERVE_FOR_DIFFS
    page.write(_footer(report))
    return page.text()


def render_news(report: Report, *, max_bytes: int = MAX_BYTES) -> str:
    """Return what is new since the previous report; nothing if that is not known, or nothing is new."""
    if report.news is None:
        return ""
    table = report.news.table
    page = Page(max_bytes)
    page.write(f"**New since** {markdown_code(report.news.since)}: {count(len(table.rows), table.noun)}")
    page.write(_table(table, page.share(0.9)))
    return page.text()


def _headline(report: Report) -> str:
    """Return which project this is about, and the verdict; on one line if there is nothing to look at."""
    verdict = f"{_ICONS[report.status]}{report.verdict}"
    if report.origin is None:
        return f"### {verdict}"
    target = _target(report.origin)
    return f"**{target}**: {verdict}" if report.is_quiet else f"### {target}\n\n**{verdict}**"


def _target(origin: Origin) -> str:
    kind, principal, environment, host = wording.target_parts(origin.scope)
    name = f" · {markdown_message(origin.name)}" if origin.name else ""
    return f"{_ENVIRONMENTS[environment]}{name} · {kind} {markdown_code(principal)} at {markdown_code(host)}"


def _differences(report: Report, max_bytes: int) -> str:
    """Return a line for each change of who can sign in; of many, a shorter one for each connection."""
    if not report.differences:
        return ""
    title = f"**{wording.SIGN_IN_TITLE}**: {count(len(report.differences), 'attribute')}"
    max_bytes -= utf8_size(title)
    as_drift = report.columns[0] == "Declared"
    lines, left = fit(report.differences, lambda item: _difference(item, as_drift=as_drift), max_bytes)
    if left:
        lines = _short_differences(report.differences, max_bytes - _RESERVE_FOR_COUNT)
    return "\n".join([title, "", *lines])


def _difference(difference: Difference, *, as_drift: bool) -> str:
    before, after = (markdown_code(value, _MAX_VALUE) for value in (difference.before, difference.after))
    values = f"declared {before}, live {after}" if as_drift else f"{before} → {after}"
    if difference.published:
        values += f", published {markdown_code(difference.published, _MAX_VALUE)}"
    live = " (already live)" if difference.already_live else ""
    return f"- ❗ {markdown_code(difference.address)} {difference.attribute}: {values}{live}"


def _short_differences(differences: Sequence[Difference], max_bytes: int) -> list[str]:
    """Return a line for each connection: the attributes that change; the rest is counted."""
    attributes: dict[str, list[str]] = {}
    for difference in differences:
        attributes.setdefault(difference.address, []).append(difference.attribute)
    lines, left = fit(
        list(attributes.items()),
        lambda item: f"- ❗ {markdown_code(item[0])} {', '.join(item[1])}",
        max_bytes,
    )
    if left:
        lines.append(f"- ❗ … {more(len(left), 'connection')}: the job summary and the saved plan have all")
    return lines


def _marked_list(icon: str, title: str, lines: Sequence[str], max_bytes: int) -> str:
    """Return a list under its title, without which Markdown would join it to the list above."""
    if not lines:
        return ""
    heading = f"{icon} **{title}**: {len(lines):,}"
    max_bytes -= utf8_size(heading)
    items, left = fit(lines, lambda line: f"- {markdown_message(line)}", max_bytes - _RESERVE_FOR_COUNT)
    if left:
        items.append(f"- … {len(left):,} more")
    return "\n".join([heading, "", *items])


def _remarks(report: Report) -> Iterator[str]:
    remarks = (*report.limitations, *report.remarks)
    if remarks:
        yield "> [!CAUTION]" if report.status is Status.BAD else "> [!NOTE]"
        yield "> " + "<br>".join(markdown_message(remark) for remark in remarks)


def render_findings(findings: Sequence[FindingGroup], max_bytes: int = MAX_BYTES) -> str:
    """Return one item for each group: what, where, and what to do; those that do not fit are counted."""
    blocks, left = fit(findings, lambda group: _finding_group(group, max_bytes // 2), max_bytes)
    if left:
        number = sum(len(group.entries) for group in left)
        errors = sum(len(group.entries) for group in left if group.is_error)
        blocks.append(f"- … {more(number, 'finding')}, {errors:,} that block among them")
    return "\n".join(blocks)


def _finding_group(group: FindingGroup, max_bytes: int) -> str:
    code = f" {markdown_code(group.code)}" if group.code else ""
    title = f"- {_WORDS[group.word]} **{group.word}**{code}: {markdown_message(group.title)}"
    notes = _notes(group, group.notes)
    if group.table:
        rows = _table(group.table, max_bytes).replace("\n", "\n  ")
        return "\n".join([title, "", f"  {rows}", "", f"  {notes.removeprefix('<br>')}"])
    if group.single:
        heading = f"{title}{_place(group.single)}{_since(group.single)}{notes}"
        return "\n".join([heading, *_consequences(group.single, "  ")])
    if group.is_uniform and group.entries[0].address:
        return f"{title}<br>↳ {_addresses(group.entries)}{notes}"
    entries, left = fit(group.entries, lambda entry: _entry(group, entry), max_bytes)
    if left:
        entries.append(f"  - … {len(left):,} more")
    return "\n".join([f"{title}{notes}", *entries])


def _notes(group: FindingGroup, notes: Sequence[str]) -> str:
    """Return each note after a line break; comments take a newline for another one.

    How a risk is accepted is left out: the steps say it, ready to paste.
    """
    in_steps = {entry.fix for entry in group.entries} if group.word == "risk" else ()
    return "".join(f"<br>↳ {markdown_message(note)}" for note in notes if note not in in_steps)


def _addresses(entries: Sequence[Entry]) -> str:
    first = entries[:_MOST_ADDRESSES]
    names = ", ".join(f"{markdown_code(entry.address)}{_since(entry)}" for entry in first)
    left = len(entries) - _MOST_ADDRESSES
    return f"{names} and {left:,} more" if left > 0 else names


def _entry(group: FindingGroup, entry: Entry) -> str:
    summary, notes = group.line(entry), _notes(group, group.own_notes(entry))
    line = f"  - {markdown_message(summary) if summary else ''}{_place(entry)}{_since(entry)}{notes}"
    return "\n".join([line, *_consequences(entry, "    ")])


def _consequences(entry: Entry, indent: str) -> Iterator[str]:
    """Yield what follows from a finding, one line each."""
    for consequence in entry.consequences:
        summary = consequence.summary.removeprefix(f"{entry.address}: ")
        yield f"{indent}- {markdown_message(summary)} ({markdown_code(consequence.code)})"


def _place(entry: Entry) -> str:
    return f" — {markdown_code(str(entry.location))}" if entry.location else ""


def _since(entry: Entry) -> str:
    if not entry.since:
        return ""
    return f" ({entry.since if _PLAIN_SINCE.fullmatch(entry.since) else markdown_message(entry.since)})"


def _outputs(table: Table, max_bytes: int) -> str:
    title = "**For the customer's administrator**: register each redirect_url at the identity provider."
    return f"{title}\n\n{_table(table, max_bytes - utf8_size(title))}"


def _step(step: Step, max_bytes: int) -> str:
    """Return what to do next, with what has to be pasted; many lines are folded."""
    text = f"➡️ {markdown_message(step.text)}"
    if not step.items:
        return text
    items, left = fit(step.items, "\n".join, max_bytes - 300 - utf8_size("\n".join(step.header)))
    block = markdown_fence([*step.header, *items], step.language)
    rest = f"\n\n… {more(len(left), step.noun)}" if left else ""
    if block.count("\n") > _MOST_OPEN_LINES:
        block = _folded(count(len(step.items), step.noun), block)
    return f"{text}\n\n{block}{rest}"


def _section(section: Section, max_bytes: int) -> str:
    title = f"**{section.title}**"
    note = f"\n\n{section.note}" if section.note else ""
    return f"{title}\n\n{_table(section.table, max_bytes - utf8_size(title + note))}{note}"


def _table(table: Table, max_bytes: int) -> str:
    header = f"| {' | '.join(column.name for column in table.columns)} |"
    rule = f"|{'|'.join('--:' if column.sum_words else '---' for column in table.columns)}|"
    rows, left = fit(table.rows, _table_row, max_bytes)
    text = "\n".join([header, rule, *rows])
    return f"{text}\n\n… {more(len(left), table.noun)}{_sums(table, left)}." if left else text


def _table_row(row: Sequence[Cell | int]) -> str:
    return f"| {' | '.join(map(_cell, row))} |"


def _cell(cell: Cell | int) -> str:
    if isinstance(cell, int):
        return str(cell or "")
    if cell.is_foreign:
        lines = filter(None, (cell.text, cell.second, cell.third))
        return "<br>".join(map(markdown_code, lines))
    return f"**{cell.text}**" if cell.is_strong else cell.text


def _sums(table: Table, rows: Sequence[Sequence[Cell | int]]) -> str:
    sums = [
        f"{_column_sum(rows, index):,} {column.sum_words}"
        for index, column in enumerate(table.columns)
        if column.sum_words
    ]
    return f" with {', '.join(sums)}" if sums else ""


def _column_sum(rows: Sequence[Sequence[Cell | int]], index: int) -> int:
    cells = (row[index] for row in rows)
    return sum(cell for cell in cells if isinstance(cell, int))


def _has_diffs(report: Report) -> bool:
    return any(card.diff for card in report.cards)


def _write_diffs(page: Page, report: Report) -> None:
    ranks = {category.key: category.rank for category in report.categories}
    cards = sorted((card for card in report.cards if card.diff), key=lambda card: ranks[card.action])
    diffs, left = fit(cards, _folded_diff, page.share())
    page.write("\n\n".join(diff.strip("\n") for diff in diffs))
    page.max_bytes += _RESERVE_FOR_DIFFS
    if left:
        tally = ", ".join(_tally(left, report.categories))
        page.write(f"… {more(len(left), 'change')}, too large to show here: {tally}.")


def _tally(cards: Sequence[Card], categories: Sequence[Category]) -> Iterator[str]:
    actions = [card.action for card in cards]
    for category in categories:
        if category.key in actions:
            yield f"{actions.count(category.key):,} {category.words}"


def _folded_diff(card: Card) -> str:
    """Return a change as a diff: the marks stand at the line's beginning, where they are colored."""
    words, action = card.intention
    intention = f"{words} <b>{action}</b>" if card.is_destructive else f"{words} {action}"
    attributes = f": {', '.join(card.attributes)}" if card.attributes else ""
    diff = markdown_fence((_MARK.sub(_mark_first, line) for line in card.diff), "diff")
    return _folded(f"{_html_code(card.address)} {intention}{attributes}", diff)


def _mark_first(match: re.Match[str]) -> str:
    indent, mark = match.groups()
    return f"{'!' if mark == '~' else mark}{indent[1:]}  "


def _item_list(item_list: ItemList, max_bytes: int) -> str:
    items, left = fit(item_list.items, _list_item, max_bytes)
    if left:
        items.append(f"- … {more(len(left), item_list.noun)}")
    return _folded(item_list.title, "\n".join(items))


def _list_item(texts: Sequence[str]) -> str:
    first, *others = map(markdown_code, texts)
    return f"- {first}: {' '.join(others)}" if others else f"- {first}"


def _footer(report: Report) -> str:
    if report.origin and report.origin.created_at:
        return f"<sub>{_origin(report.origin)}</sub>"
    if report.counts:
        return f"<sub>{', '.join(count(number, noun) for number, noun in report.counts)}</sub>"
    return ""


def _origin(origin: Origin) -> str:
    commit = f" at commit {markdown_code(origin.commit[:7])}" if origin.commit else ""
    when = short_time(origin.created_at)
    return f"{when if when != origin.created_at else markdown_code(when)}{commit}"


def _html_code(text: str) -> str:
    """Return the text as HTML code, for where Markdown is not read, as in ``<summary>``."""
    return f"<code>{html.escape(clip(escape_terminal(text), MAX_NAME))}</code>"


def _folded(summary: str, content: str) -> str:
    """Return a block that shows ``summary`` (HTML) until it is opened; ``content`` is Markdown."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>\n"
