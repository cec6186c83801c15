"""One finding in Terraform's frame: what, where with the line itself, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.reports.visible import visible, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.core.errors import Diagnostic, Snippet, SourceLocation
    from reconciler.reports.style import Style


def render_diagnostic(found: Diagnostic, style: Style) -> str:
    """Return the finding in a frame, without a newline at its end."""
    title = f"{found.summary} [{found.code}]"
    if found.is_error:
        return error_box(title, _body(found), style)
    return warning_box(title, _body(found), style)


def error_box(title: str, body: Iterable[str], style: Style) -> str:
    """Return an error in a red frame; ``body`` is already safe to show, ``title`` is made so."""
    return _box("Error", style.red, style.bold(visible(title)), body)


def warning_box(title: str, body: Iterable[str], style: Style) -> str:
    """Return a warning in a yellow frame; ``body`` is already safe to show, ``title`` is made so."""
    return _box("Warning", style.yellow, style.bold(visible(title)), body)


def paragraphs(*texts: str) -> Iterator[str]:
    """Yield each text that is not empty on one line, set off by an empty line.

    A newline in it came from outside and is escaped: it could pass for a line of ours.
    """
    for text in texts:
        if text:
            yield ""
            yield visible(text)


def _box(word: str, paint: Callable[[str], str], title: str, body: Iterable[str]) -> str:
    side = paint("│")
    lines = [paint("╷"), f"{side} {paint(f'{word}:')} {title}"]
    lines += [f"{side} {line}" if line else side for line in body]
    return "\n".join([*lines, paint("╵")])


def _body(found: Diagnostic) -> Iterator[str]:
    if found.location:
        yield ""
        yield f"  on {visible(str(found.location))}"
        if found.snippet:
            yield from _excerpt(found.location, found.snippet)
    hint = f"hint: {found.hint}" if found.hint else ""
    yield from paragraphs(found.detail, hint)


def _excerpt(location: SourceLocation, snippet: Snippet) -> Iterator[str]:
    """Yield the line with its number, and a caret below each column of the finding."""
    number = f"  {location.line:>4}: "
    before = visible(snippet.text[: snippet.start])
    marked = visible(snippet.text[snippet.start : snippet.end])
    yield number + before + marked + visible(snippet.text[snippet.end :])
    yield " " * (len(number) + width(before)) + "^" * max(width(marked), 1)
