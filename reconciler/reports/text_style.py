"""Text on a terminal: colors, column widths, and diagnostics in Terraform's frame."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from unicodedata import combining, east_asian_width

from reconciler.reports import wording
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.findings import group_findings
from reconciler.reports.report import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.core.errors import Diagnostic, Snippet, SourceLocation
    from reconciler.core.plan import Scope
    from reconciler.reports.report import Entry, FindingGroup, Section, Table

_RESET: Final = "\x1b[0m"

_WORD: Final = re.compile(r"(?:`[^`]*`|\S)+")
"""A word; a command in backticks is one, with its blanks."""


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks where it is read: in Terraform's colors if ``color`` is set, wrapped to ``columns``.

    Zero columns are no terminal: nothing is wrapped. A line that other programs look for is painted as a
    whole, so that it stays one string.
    """

    color: bool = False
    columns: int = 0

    def bold(self, text: str) -> str:
        """Return a heading."""
        return self._paint(text, "1")

    def green(self, text: str) -> str:
        """Return what is added, or good."""
        return self._paint(text, "32")

    def yellow(self, text: str) -> str:
        """Return what changes, or deserves attention."""
        return self._paint(text, "33")

    def red(self, text: str) -> str:
        """Return what is removed, or wrong."""
        return self._paint(text, "31")

    def dim(self, text: str) -> str:
        """Return what matters less."""
        return self._paint(text, "90")

    def verdict(self, text: str, *, is_good: bool) -> str:
        """Return the line that says how it went."""
        return self._paint(text, "1;32" if is_good else "1;31")

    def _paint(self, text: str, codes: str) -> str:
        return f"\x1b[{codes}m{text}{_RESET}" if self.color and text else text


PLAIN: Final = Style()
"""Text for files, pipes and programs."""


def width(text: str) -> int:
    """Return how many columns of a terminal escaped text takes."""
    return sum(_columns(character) for character in text)


def target_heading(scope: Scope | None, style: Style) -> Iterator[str]:
    """Yield the first line of a text: which project it is about, whether test or live, and at which host."""
    if scope:
        yield style.bold(wording.target_headline(scope, escape_terminal)) + "\n"


def render_diagnostics(diagnostics: Sequence[Diagnostic], *, style: Style = PLAIN) -> str:
    """Return the diagnostics in the order given."""
    return "".join(f"{box}\n" for box in finding_boxes(group_findings(diagnostics), style))


def finding_boxes(groups: Iterable[FindingGroup], style: Style) -> Iterator[str]:
    """Yield the frame of each group of findings."""
    for group in groups:
        code = f" [{group.code}]" if group.code else ""
        word = f"{group.word.capitalize()}:"
        paint = style.red if group.is_error else style.dim if group.word == "note" else style.yellow
        yield _box(word, paint, f"{group.title}{code}", _group_body(group, style), style)


def table_lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows of escaped texts in columns."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text + " " * (columns - width(text)) for text, columns in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def error_box(title: str, body: Iterable[str], style: Style) -> str:
    """Return an error in a red frame; ``title`` is escaped, ``body`` has to be escaped already."""
    return _box("Error:", style.red, title, body, style)


def warning_box(title: str, body: Iterable[str], style: Style) -> str:
    """Return a warning in a yellow frame; ``title`` is escaped, ``body`` has to be escaped already."""
    return _box("Warning:", style.yellow, title, body, style)


def paragraphs(*texts: str) -> Iterator[str]:
    """Yield each text that is not empty on one line, set off by an empty line.

    Newlines are escaped: they come from outside, and could forge a line of the output.
    """
    for text in texts:
        if text:
            yield ""
            yield escape_terminal(text)


def _columns(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _box(word: str, paint: Callable[[str], str], title: str, body: Iterable[str], style: Style) -> str:
    """Return the frame; a line of the body that begins with a blank is laid out already, and not wrapped."""
    columns = _inner_columns(style)
    first, *rest = wrap(f"{word} {escape_terminal(title)}", columns)
    heading = f"{paint(word)} {style.bold(first.removeprefix(word).lstrip())}".rstrip()
    lines = [heading, *map(style.bold, rest)]
    for line in body:
        lines += [line] if line.startswith(" ") else wrap(line, columns)
    side = paint("│")
    return "\n".join([paint("╷"), *(f"{side} {line}" if line else side for line in lines), paint("╵")])


def _inner_columns(style: Style) -> int:
    return max(style.columns - 2, 1) if style.columns else 0


def wrap(text: str, columns: int) -> Iterator[str]:
    """Yield the text in lines of at most so many columns; zero columns are unlimited.

    A command in backticks stays on one line if that is wide enough. A longer word is never broken: it has
    to be copied as it is.
    """
    if not columns or width(text) <= columns:
        yield text
        return
    line = ""
    for word in _words(text, columns):
        if line and width(line) + 1 + width(word) > columns:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _words(text: str, columns: int) -> Iterator[str]:
    for word in _WORD.findall(text):
        yield from (word,) if width(word) <= columns else word.split()


def _group_body(group: FindingGroup, style: Style) -> Iterator[str]:
    if group.table:
        yield ""
        yield from _table_body(group.table, style)
    elif group.single:
        yield from (f"  {escape_terminal(group.single.since)}",) if group.single.since else ()
        yield from _place(group.single, style)
        yield from _consequences(group.single, style)
    else:
        yield from ("",) if group.is_uniform else ()
        for entry in group.entries:
            yield from _entry(group, entry, style)
    fix = group.entries[0].fix
    yield from paragraphs(*(f"hint: {note}" if note == fix else note for note in group.notes))


def _entry(group: FindingGroup, entry: Entry, style: Style) -> Iterator[str]:
    """Yield one finding of several: what is wrong, where, what follows from it, and its own notes."""
    place, since = str(entry.location or ""), f", {entry.since}" if entry.since else ""
    if group.is_uniform:
        yield from _indented(f"{entry.address} ({place}{since})" if entry.address and place else
                             (entry.address or place) + since, 2, style)  # fmt: skip
    else:
        yield ""
        yield from _indented(entry.summary + since, 2, style)
        yield from _indented(f"on {place}", 4, style) if place else ()
    yield from _consequences(entry, style)
    for note in group.own_notes(entry):
        yield from _indented(f"hint: {note}" if note == entry.fix else note, 4, style)


def _consequences(entry: Entry, style: Style) -> Iterator[str]:
    """Yield what follows from a finding, with what is to be done about it."""
    if entry.consequences:
        yield from ("", "  with it:")
    for consequence in entry.consequences:
        summary = consequence.summary.removeprefix(f"{entry.address}: ")
        yield from _indented(f"- {summary} [{consequence.code}]", 4, style)
        if consequence.fix:
            yield from _indented(f"hint: {consequence.fix}", 6, style)


def _indented(text: str, indent: int, style: Style) -> Iterator[str]:
    columns = _inner_columns(style)
    for line in wrap(escape_terminal(text), max(columns - indent, 1) if columns else 0):
        yield " " * indent + line


def _place(entry: Entry, style: Style) -> Iterator[str]:
    if entry.location:
        yield ""
        yield f"  on {escape_terminal(str(entry.location))}"
        if entry.snippet:
            yield from _excerpt(entry.location, entry.snippet, _inner_columns(style))


def section_lines(section: Section, style: Style) -> Iterator[str]:
    """Yield a table under its title, and the note below it."""
    yield f"{style.bold(section.title)}:"
    yield from _table_body(section.table, style)
    if section.note:
        yield f"  {section.note}"
    yield ""


def _table_body(table: Table, style: Style) -> Iterator[str]:
    """Yield a table; where the terminal is too narrow for it, two lines for each row."""
    headings = [column.name.upper() for column in table.columns]
    rows = [[escape_terminal(cell.text if isinstance(cell, Cell) else str(cell)) for cell in row]
            for row in table.rows]  # fmt: skip
    lines = [f"  {line}" for line in table_lines([headings, *rows])]
    columns = _inner_columns(style)
    if columns and max(map(width, lines)) > columns:
        lines = [line for first, *rest in rows for line in (f"  {first}", f"    {', '.join(rest)}")]
    yield from lines


def _excerpt(location: SourceLocation, snippet: Snippet, columns: int) -> Iterator[str]:
    """Yield the line with its number, and a caret below each column of the finding.

    Of a line that is too long for the terminal, the part around the finding is shown.
    """
    number = f"  {location.line:>4}: "
    before = escape_terminal(snippet.text[: snippet.start])
    marked = escape_terminal(snippet.text[snippet.start : snippet.end])
    after = escape_terminal(snippet.text[snippet.end :])
    space = columns - len(number)
    if columns and width(before + marked + after) > space:
        before = _cut(before[::-1], max(space - width(marked), space // 2))[::-1]
        marked = _cut(marked, space - width(before))
        after = _cut(after, space - width(before + marked))
    yield number + before + marked + after
    yield " " * (len(number) + width(before)) + "^" * max(width(marked), 1)


def _cut(text: str, columns: int) -> str:
    """Return the beginning of the text; an ellipsis stands for the rest of it."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if width(kept + character) >= columns:
            break
        kept += character
    return f"{kept}…" if columns > 0 else ""
