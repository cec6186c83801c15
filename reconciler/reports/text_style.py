"""Text on a terminal: colors, column widths, and diagnostics in Terraform's frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from unicodedata import combining, east_asian_width

from reconciler.reports import wording
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.report import MissingSecrets, with_missing_secrets_grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.core.errors import Diagnostic, Snippet, SourceLocation
    from reconciler.core.plan import Scope

_RESET: Final = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text with ANSI codes, in Terraform's colors, if ``color`` is set.

    A line that other programs look for is painted as a whole, so that it stays one string.
    """

    color: bool

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


def width(text: str) -> int:
    """Return how many columns of a terminal escaped text takes."""
    return sum(_columns(character) for character in text)


def target_heading(scope: Scope | None, style: Style) -> Iterator[str]:
    """Yield the first line of a text: which project it is about, whether test or live, and at which host."""
    if scope:
        yield style.bold(wording.target_headline(scope, escape_terminal)) + "\n"


def render_diagnostics(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """Return the diagnostics in the order given."""
    return "".join(f"{box}\n" for box in diagnostic_boxes(diagnostics, Style(color)))


def diagnostic_boxes(diagnostics: Iterable[Diagnostic], style: Style) -> Iterator[str]:
    """Yield the frame of each diagnostic; missing secrets with the same problem share one."""
    for finding in with_missing_secrets_grouped(diagnostics):
        if isinstance(finding, MissingSecrets):
            yield error_box(f"{finding.title} [{finding.code}]", _missing_secrets(finding), style)
        else:
            yield diagnostic_box(finding, style)


def table_lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows of escaped texts in columns."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text + " " * (columns - width(text)) for text, columns in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def diagnostic_box(diagnostic: Diagnostic, style: Style) -> str:
    """Return the diagnostic in a frame, without a newline at its end."""
    title = f"{diagnostic.summary} [{diagnostic.code}]"
    if diagnostic.is_error:
        return error_box(title, _body(diagnostic), style)
    return warning_box(title, _body(diagnostic), style)


def error_box(title: str, body: Iterable[str], style: Style) -> str:
    """Return an error in a red frame; ``title`` is escaped, ``body`` has to be escaped already."""
    return _box("Error", style.red, style.bold(escape_terminal(title)), body)


def warning_box(title: str, body: Iterable[str], style: Style) -> str:
    """Return a warning in a yellow frame; ``title`` is escaped, ``body`` has to be escaped already."""
    return _box("Warning", style.yellow, style.bold(escape_terminal(title)), body)


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


def _box(word: str, paint: Callable[[str], str], title: str, body: Iterable[str]) -> str:
    side = paint("│")
    lines = [paint("╷"), f"{side} {paint(f'{word}:')} {title}"]
    lines += [f"{side} {line}" if line else side for line in body]
    return "\n".join([*lines, paint("╵")])


def _body(diagnostic: Diagnostic) -> Iterator[str]:
    if diagnostic.location:
        yield ""
        yield f"  on {escape_terminal(str(diagnostic.location))}"
        if diagnostic.snippet:
            yield from _excerpt(diagnostic.location, diagnostic.snippet)
    hint = f"hint: {diagnostic.hint}" if diagnostic.hint else ""
    yield from paragraphs(diagnostic.detail, hint)


def _missing_secrets(missing: MissingSecrets) -> Iterator[str]:
    headings = [column.name.upper() for column in missing.table.columns]
    rows = [[escape_terminal(cell.text) for cell in row] for row in missing.rows]
    yield ""
    yield from (f"  {line}" for line in table_lines([headings, *rows]))
    yield from paragraphs(missing.hint)


def _excerpt(location: SourceLocation, snippet: Snippet) -> Iterator[str]:
    """Yield the line with its number, and a caret below each column of the finding."""
    number = f"  {location.line:>4}: "
    before = escape_terminal(snippet.text[: snippet.start])
    marked = escape_terminal(snippet.text[snippet.start : snippet.end])
    yield number + before + marked + escape_terminal(snippet.text[snippet.end :])
    yield " " * (len(number) + width(before)) + "^" * max(width(marked), 1)
