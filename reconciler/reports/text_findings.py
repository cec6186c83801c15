"""Text of diagnostics in Terraform's layout, and of a validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.escaping import escape_terminal
from reconciler.reports.text_style import Style, count, width
from reconciler.reports.wording import validation_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.core.errors import Diagnostic, Snippet, SourceLocation
    from reconciler.core.validation_document import ValidationResult


def render_diagnostics(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """Return the diagnostics in the order given."""
    style = Style(color)
    return "".join(f"{diagnostic_box(diagnostic, style)}\n" for diagnostic in diagnostics)


def render_validation(result: ValidationResult, *, color: bool = False) -> str:
    """Return all diagnostics and the verdict."""
    verdict = "\n".join(_verdict(result, Style(color)))
    return f"{render_diagnostics(result.diagnostics, color=color)}{verdict}\n"


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


def _verdict(result: ValidationResult, style: Style) -> Iterator[str]:
    yield style.verdict(validation_verdict(result), is_good=result.is_valid)
    yield ", ".join(
        (
            count(result.files, "file"),
            count(result.organizations, "organization"),
            count(result.connections, "connection"),
        )
    )


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


def _excerpt(location: SourceLocation, snippet: Snippet) -> Iterator[str]:
    """Yield the line with its number, and a caret below each column of the finding."""
    number = f"  {location.line:>4}: "
    before = escape_terminal(snippet.text[: snippet.start])
    marked = escape_terminal(snippet.text[snippet.start : snippet.end])
    yield number + before + marked + escape_terminal(snippet.text[snippet.end :])
    yield " " * (len(number) + width(before)) + "^" * max(width(marked), 1)
