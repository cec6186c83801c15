"""Escapes text from outside for each destination: terminals, Markdown, HTML, GitHub's workflow commands.

Names and values come from tenants, identity providers and manifests. Control characters could
rewrite the screen and bidirectional marks reorder it, so everything that is not printable is written
as an escape sequence, as JSON and HCL do (`escape_terminal`). The other destinations escape on top of
that what has a meaning there. HTML is escaped by jinja2's autoescape.

In Markdown, names and values are code spans: mentions, references, links, images and HTML are not
interpreted there. What could end the span (backticks, newlines) or its table cell (pipes) is written
as an escape, or delimited by more backticks than it holds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_NAME: Final = 160
"""Characters of a name or place that Markdown shows outside of a diff."""

MAX_SENTENCE: Final = 1200
"""Characters of a message that Markdown shows."""

_BASIC_PLANE: Final = 0xFFFF
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_COMMAND: Final = re.compile(r"^ *::|##\[")
"""How the runner of GitHub's workflows recognizes a command in a log (actions/runner,
``ActionCommand.cs``): two colons after any spaces, or, in the old form, ``##[`` anywhere."""

_QUOTED: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_TOKEN: Final = re.compile(r"( +)|(\(*)([^ ]*?)([),.;:?]*)(?= |$)")
_PLAIN_YAML: Final = re.compile(r"(?!(?i:true|false|yes|no|on|off|null|y|n)$)[A-Za-z][A-Za-z0-9._/-]*")
_UTC_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?(?:Z|\+00:00)$", re.ASCII)
_LETTERS: Final = r"[^\W\d_]+"
_PLAIN: Final = re.compile(rf"{_LETTERS}(?:[-'\u2019]{_LETTERS})*|\d{{1,6}}%?|[\u2014\u2013\u2026]")


def escape_terminal(text: str) -> str:
    """Return the text with everything escaped that is invisible, controls a terminal or reorders text."""
    printable = text if text.isprintable() else "".join(_escape(character) for character in text)
    return _COMMAND.sub(_break_command, printable) if "::" in printable or "##[" in printable else printable


def quote(text: str) -> str:
    """Return the text in double quotes, escaped so that it can mean nothing else."""
    return '"' + escape_terminal(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def format_value(value: object) -> str:
    """Return a value as HCL writes it, or as JSON if it is not a string."""
    return quote(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


def clip(text: str, limit: int) -> str:
    """Return the text, or its beginning and an ellipsis if it has more than ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a message: plain words, or what must be shown as code."""

    text: str
    is_code: bool


def yaml_value(text: str) -> str:
    """Return a text as a YAML scalar on one line: plain if that is certain to mean a string."""
    return text if _PLAIN_YAML.fullmatch(text) else escape_terminal(json.dumps(text, ensure_ascii=False))


def short_time(timestamp: str) -> str:
    """Return a moment in RFC 3339 as a UTC minute; any other text as it is."""
    match = _UTC_TIME.match(timestamp)
    return f"{match[1]} {match[2]} UTC" if match else timestamp


def segments(message: str) -> tuple[Segment, ...]:
    """Divide a message of ours, which may quote foreign text, into plain words and code.

    Only words that cannot mean anything but themselves remain plain. The spaces between two segments
    belong to the plain one, or are a segment of their own.
    """
    groups = groupby(_segments(escape_terminal(message)), key=lambda segment: segment.is_code)
    return tuple(
        Segment("".join(segment.text for segment in group), is_code=is_code) for is_code, group in groups
    )


def markdown_code(text: str, limit: int = MAX_NAME) -> str:
    """Return one line of Markdown that shows the text as code, whether in a paragraph or a table cell."""
    return _span(_escape_pipes(clip(escape_terminal(text), limit)))


def markdown_message(text: str) -> str:
    """Return a message as Markdown: its plain words as they are, everything else as code.

    It must not start a line, where words can begin a list or a heading.
    """
    parts = (
        _span(_escape_pipes(segment.text)) if segment.is_code else segment.text
        for segment in segments(clip(text, MAX_SENTENCE))
    )
    return "".join(parts).strip() or _span("")


def markdown_fence(lines: Iterable[str], language: str) -> str:
    """Return the lines as a block of code, fenced by more backticks than there are in any of them."""
    text = "\n".join(lines)
    runs = (len(run) for run in re.findall("`{3,}", text))
    ticks = "`" * (max(runs, default=2) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def command_message(text: str) -> str:
    """Return the message of a workflow command, which may have several lines.

    The escapes are those of the runner's parser (actions/toolkit, ``command.ts``).
    """
    lines = "\n".join(escape_terminal(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def command_property(text: str) -> str:
    """Return the value of a property of a workflow command, where colons and commas are escaped as well."""
    return command_message(escape_terminal(text)).replace(":", "%3A").replace(",", "%2C")


def log_line(text: str) -> str:
    """Return a line for the log of a workflow, of which the runner can take no part for a command."""
    return re.sub(r"::|##\[", lambda match: " ".join(match[0]), escape_terminal(text))


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code <= _BASIC_PLANE else f"\\U{code:08x}")


def _break_command(match: re.Match[str]) -> str:
    """Write the last but one character of a command's mark as an escape."""
    mark = match[0]
    return mark[:-2] + f"\\u{ord(mark[-2]):04x}" + mark[-1]


def _escape_pipes(text: str) -> str:
    return text.replace("|", "\\u007c")


def _span(text: str) -> str:
    text = text or "(empty)"
    ticks = "`" * _shortest_absent_run(text)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _shortest_absent_run(text: str) -> int:
    """Return the smallest number of backticks that do not stand together anywhere in the text."""
    present = {len(run) for run in re.findall("`+", text)}
    return next(number for number in range(1, len(present) + 2) if number not in present)


def _segments(message: str) -> Iterator[Segment]:
    position = 0
    for match in _QUOTED.finditer(message):
        yield from _words(message[position : match.start()])
        yield Segment(match[1], is_code=True)
        position = match.end()
    yield from _words(message[position:])


def _words(text: str) -> Iterator[Segment]:
    """Tell words from code; spaces with code on both sides are code as well."""
    pieces = list(_pieces(text))
    edge = [Segment("", is_code=False)]
    neighbours = zip(edge + pieces, pieces, pieces[1:] + edge, strict=False)
    for before, piece, after in neighbours:
        is_code = before.is_code and after.is_code if piece.text.isspace() else piece.is_code
        yield Segment(piece.text, is_code=is_code)


def _pieces(text: str) -> Iterator[Segment]:
    for match in _TOKEN.finditer(text):
        space, opening, word, closing = match.groups(default="")
        yield from (Segment(piece, is_code=False) for piece in (space, opening) if piece)
        if word:
            yield Segment(word, is_code=_PLAIN.fullmatch(word) is None)
        if closing:
            yield Segment(closing, is_code=False)
