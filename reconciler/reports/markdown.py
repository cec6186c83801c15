"""Text from outside → GitHub-flavoured Markdown in which it shows as itself and does nothing.

Names and values stand in code: no mention, reference, link, image or HTML is read there. What
could end the code (backticks, newlines) or its table cell (pipes) is written as an escape, or
fenced in by more backticks than it holds.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from reconciler.reports.prose import clipped, segments
from reconciler.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.plan import Scope

LONGEST_NAME: Final = 160
"""Characters of a name or place that are shown outside of a diff."""

LONGEST_SENTENCE: Final = 1200
"""Characters of a message that are shown."""


def code(text: str) -> str:
    """Return one line of Markdown that shows the text as code, whether in a paragraph or a table cell."""
    shown = clipped(visible(text), LONGEST_NAME).replace("|", "\\u007c")
    return _span(shown) if shown else _span("(empty)")


def sentence(text: str) -> str:
    """Return a message as Markdown: its plain words as they are, everything else as code.

    It must not stand at the beginning of a line, where words can begin a list or a heading.
    """
    shown = (
        _span(one.text.replace("|", "\\u007c")) if one.is_code else one.text
        for one in segments(clipped(text, LONGEST_SENTENCE))
    )
    return "".join(shown).strip() or _span("(empty)")


def html_code(text: str) -> str:
    """Return the text as HTML code, for where Markdown is not read, as in ``<summary>``."""
    return f"<code>{html.escape(clipped(visible(text), LONGEST_NAME))}</code>"


def fence(lines: Iterable[str], language: str) -> str:
    """Return the lines as a block of code, fenced by more backticks than there are in any of them."""
    text = "\n".join(lines)
    runs = (len(run) for run in re.findall("`{3,}", text))
    ticks = "`" * (max(runs, default=2) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def folded(summary: str, content: str) -> str:
    """Return a block that shows ``summary`` (HTML) until it is opened; ``content`` is Markdown."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>\n"


def origin(scope: Scope, commit: str, created_at: str) -> str:
    """Return one small line: for which project, from which commit, and when."""
    from_commit = f" · commit {code(commit[:12])}" if commit else ""
    return (
        f"<sub>{scope.environment.value} · project {code(scope.principal)} · {code(scope.base_url)}"
        f"{from_commit} · {code(created_at)}</sub>"
    )


def _span(text: str) -> str:
    ticks = "`" * _shortest_absent_run(text)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _shortest_absent_run(text: str) -> int:
    """Return the smallest number of backticks that do not stand together anywhere in the text."""
    present = {len(run) for run in re.findall("`+", text)}
    return next(number for number in range(1, len(present) + 2) if number not in present)
