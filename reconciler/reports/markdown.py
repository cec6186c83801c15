"""Renders a report as GitHub-flavored Markdown of limited size, for comments, issues and job summaries.

The verdict, what is risky or refused, an overview as a table, and changes as folded diffs. Where not
everything fits, the most urgent is kept and the rest is counted.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.reports import wording
from reconciler.reports.escaping import (
    MAX_NAME,
    clip,
    escape_terminal,
    markdown_code,
    markdown_fence,
    markdown_message,
)
from reconciler.reports.report import Cell, MissingSecrets, Status, with_missing_secrets_grouped
from reconciler.reports.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.reports.report import Card, Category, ItemList, Origin, Report, Table

MAX_BYTES: Final = 64_000
"""A comment may have 65,536 characters; what a publisher puts around the report must fit as well."""

_RESERVE: Final = 1_500
"""Bytes kept for the lines that say what is left out, and where the report comes from."""

_RESERVE_FOR_DIFFS: Final = 500
"""The part of the reserve for the line that counts diffs which do not fit."""

_MAX_MISSES: Final = 20
"""After so many items in a row that do not fit, the rest is counted without being rendered."""

_ICONS: Final = {
    Status.GOOD: "✅ ",
    Status.WARNED: "✅ ",
    Status.PLAIN: "",
    Status.ATTENTION: "⚠️ ",
    Status.BAD: "❌ ",
}

_MARK: Final = re.compile(r"^( +)([+~-]) ")

Item = TypeVar("Item")


def render_markdown(report: Report, *, max_bytes: int = MAX_BYTES) -> str:
    """Return the report in at most ``max_bytes`` of UTF-8."""
    page = _Page(max_bytes - _RESERVE)
    has_body = report.table is not None or bool(report.lists)
    if report.origin:
        page.write(f"**{wording.target_headline(report.origin.scope, markdown_code)}**")
    page.write(f"### {_ICONS[report.status]}{report.verdict}")
    page.write(_headlines(report.headlines, page.share(0.4)))
    page.write("\n".join(_remarks(report)))
    page.write(_diagnostic_list(report.diagnostics, page.share(0.4 if has_body else 0.9)))
    if report.table:
        page.write(_table(report.table, page.share(0.4 if _has_diffs(report) else 0.8)))
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
    page = _Page(max_bytes)
    page.write(f"**New since** {markdown_code(report.news.since)}: {count(len(table.rows), table.noun)}")
    page.write(_table(table, page.share(0.9)))
    return page.text()


def _remarks(report: Report) -> Iterator[str]:
    remarks = (*report.limitations, *report.remarks)
    if remarks:
        yield "> [!CAUTION]" if report.status is Status.BAD else "> [!NOTE]"
        yield "> " + "<br>".join(escape_terminal(remark) for remark in remarks)


def _headlines(headlines: Sequence[str], max_bytes: int) -> str:
    """Return one line for each; what does not fit is counted."""
    lines, left = _fit(headlines, lambda line: f"- ❗ {markdown_message(line)}", max_bytes)
    if left:
        lines.append(f"- ❗ … {_more(len(left), 'line')} of this kind")
    return "\n".join(lines)


def _diagnostic_list(diagnostics: Sequence[Diagnostic], max_bytes: int) -> str:
    """Return one item per diagnostic: what, where, and what to do; missing secrets come in tables."""
    findings = tuple(with_missing_secrets_grouped(diagnostics))
    tables = [finding for finding in findings if isinstance(finding, MissingSecrets)]
    listed = [finding for finding in findings if not isinstance(finding, MissingSecrets)]
    max_bytes //= 1 + len(tables)
    items, left = _fit(listed, _diagnostic_item, max_bytes)
    if left:
        errors = sum(diagnostic.is_error for diagnostic in left)
        items.append(f"- … {_more(len(left), 'finding')}, {count(errors, 'error')} among them")
    blocks = ["\n".join(items), *(_missing_secrets(table, max_bytes) for table in tables)]
    return "\n\n".join(filter(None, blocks))


def _missing_secrets(missing: MissingSecrets, max_bytes: int) -> str:
    title = f"❌ **error** {markdown_code(missing.code)}: {markdown_message(missing.title)}"
    hint = f"↳ {markdown_message(missing.hint)}"
    return "\n\n".join([title, _table(missing.table, max_bytes - _utf8_size(title + hint)), hint])


def _diagnostic_item(diagnostic: Diagnostic) -> str:
    word = "❌ **error**" if diagnostic.is_error else "⚠️ **warning**"
    place = f" — {markdown_code(str(diagnostic.location))}" if diagnostic.location else ""
    lines = [f"- {word} {markdown_code(diagnostic.code)}: {markdown_message(diagnostic.summary)}{place}"]
    further = (diagnostic.detail, diagnostic.hint)
    lines += [f"  <br>↳ {markdown_message(text)}" for text in further if text.strip()]
    return "\n".join(lines)


def _table(table: Table, max_bytes: int) -> str:
    header = f"| {' | '.join(column.name for column in table.columns)} |"
    rule = f"|{'|'.join('--:' if column.sum_words else '---' for column in table.columns)}|"
    rows, left = _fit(table.rows, _table_row, max_bytes)
    text = "\n".join([header, rule, *rows])
    return f"{text}\n\n… {_more(len(left), table.noun)}{_sums(table, left)}." if left else text


def _table_row(row: Sequence[Cell | int]) -> str:
    return f"| {' | '.join(map(_cell, row))} |"


def _cell(cell: Cell | int) -> str:
    if isinstance(cell, int):
        return str(cell or "")
    if cell.is_foreign:
        return markdown_code(cell.text)
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


def _write_diffs(page: _Page, report: Report) -> None:
    ranks = {category.key: category.rank for category in report.categories}
    cards = sorted((card for card in report.cards if card.diff), key=lambda card: ranks[card.action])
    diffs, left = _fit(cards, _folded_diff, page.share())
    page.write("\n\n".join(diff.strip("\n") for diff in diffs))
    page.max_bytes += _RESERVE_FOR_DIFFS
    if left:
        tally = ", ".join(_tally(left, report.categories))
        page.write(f"… {_more(len(left), 'change')}, too large to show here: {tally}.")


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
    items, left = _fit(item_list.items, _list_item, max_bytes)
    if left:
        items.append(f"- … {_more(len(left), item_list.noun)}")
    return _folded(item_list.title, "\n".join(items))


def _list_item(texts: Sequence[str]) -> str:
    first, *others = map(markdown_code, texts)
    return f"- {first}: {' '.join(others)}" if others else f"- {first}"


def _footer(report: Report) -> str:
    if report.origin:
        return f"<sub>{_origin(report.origin)}</sub>"
    if report.counts:
        return f"<sub>{', '.join(count(number, noun) for number, noun in report.counts)}</sub>"
    return ""


def _origin(origin: Origin) -> str:
    scope = origin.scope
    commit = f" · commit {markdown_code(origin.commit[:12])}" if origin.commit else ""
    return (
        f"{scope.environment.value} · project {markdown_code(scope.principal)} · "
        f"{markdown_code(scope.base_url)}{commit} · {markdown_code(origin.created_at)}"
    )


def _html_code(text: str) -> str:
    """Return the text as HTML code, for where Markdown is not read, as in ``<summary>``."""
    return f"<code>{html.escape(clip(escape_terminal(text), MAX_NAME))}</code>"


def _folded(summary: str, content: str) -> str:
    """Return a block that shows ``summary`` (HTML) until it is opened; ``content`` is Markdown."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>\n"


def _more(number: int, noun: str) -> str:
    """Return ``1 more finding`` or ``2 more findings``."""
    return f"{number:,} more {noun if number == 1 else noun + 's'}"


@dataclass(slots=True)
class _Page:
    """Blocks of Markdown, at most ``max_bytes`` of UTF-8 together.

    Bytes are the strictest of all ways to count: there are never more characters or UTF-16 units.
    """

    max_bytes: int
    blocks: list[str] = field(default_factory=list)
    used: int = 0

    def write(self, block: str) -> bool:
        """Add a block, if it fits; an empty block is left out."""
        size = _utf8_size(block)
        if not block or self.used + size > self.max_bytes:
            return not block
        self.blocks.append(block)
        self.used += size
        return True

    def share(self, part: float = 1.0) -> int:
        """Return that part of the bytes that are left."""
        return int((self.max_bytes - self.used) * part)

    def text(self) -> str:
        """Return the page, its blocks set off by empty lines."""
        return "\n\n".join(block.strip("\n") for block in self.blocks) + "\n"


def _fit(
    items: Sequence[Item], render: Callable[[Item], str], max_bytes: int
) -> tuple[list[str], list[Item]]:
    """Render the items in their order and return those that fit together, and the items that do not."""
    fitting: list[str] = []
    left: list[Item] = []
    misses = 0
    for index, item in enumerate(items):
        if misses == _MAX_MISSES:
            return fitting, [*left, *items[index:]]
        text = render(item)
        size = _utf8_size(text)
        if size <= max_bytes:
            fitting.append(text)
            max_bytes -= size
            misses = 0
        else:
            left.append(item)
            misses += 1
    return fitting, left


def _utf8_size(text: str) -> int:
    """Return the bytes of a block with the empty line after it."""
    return len(text.encode("utf-8", "surrogatepass")) + 2
