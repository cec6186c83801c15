"""Finds what to replace in the text of a manifest for an edit, so that every other byte stays.

Everything works on spans of the text. A function returns None where it knows no safe place.
The caller checks the result by reading it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from yaml.events import AliasEvent, ScalarEvent

from reconciler.manifests.yaml_writer import LONGEST_SIMPLE_KEY, flow_value, indented, literal, written_like
from reconciler.secrets.references import OPENING, escape_literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.manifests.yaml_reader import Node, Value

INDENT: Final = "  "
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)*")
_COMMA: Final = re.compile(r",(?:[ \t]+(?![ \t#\r\n]))?")
_COLON: Final = re.compile(r"[ \t]*:")
_COMMENT: Final = re.compile(r"[ \t]+#[^\r\n]*")
_FLOW_SEPARATORS: Final = re.compile(r"(?:\s+(?:#[^\r\n]*)?)*")


@dataclass(frozen=True, slots=True, order=True)
class Replacement:
    """A stretch of text to replace; nothing is removed where ``end`` is ``start``."""

    start: int
    end: int
    text: str


Edits = list[Replacement]


@dataclass(frozen=True, slots=True)
class Entry:
    """A new key with its value, as raw text; with a ``key``, with a map of that key to the value."""

    name: str
    value: str
    key: str = ""

    def in_block(self, newline: str, margin: str) -> str:
        """Return its lines."""
        if not self.key:
            return written_entry("", self.name, self.value)
        return f"{self.name}:{newline}{margin}{INDENT}{written_entry('', self.key, self.value)}"

    def in_flow(self, quote: str) -> str:
        """Return it for a mapping in braces; in double quotes if that is the quote of its neighbor."""
        if not self.key:
            return written_entry(quote, self.name, self.value)
        return f"{written_like(quote, self.name)}: {{{written_entry(quote, self.key, self.value)}}}"


def replace_all(text: str, replacements: Iterable[Replacement]) -> str | None:
    """Return the text with all replacements made, or None if two of them overlap."""
    ordered = sorted(replacements)
    if any(second.start < first.end for first, second in pairwise(ordered)):
        return None
    for replacement in reversed(ordered):
        text = text[: replacement.start] + replacement.text + text[replacement.end :]
    return text


def insert_beside(text: str, mapping: Node, neighbor: str, entry: Entry) -> Edits | None:
    """Insert an entry on the line below its neighbor's; above it, if that one has several lines."""
    node = mapping.children.get(neighbor)
    if node is None or node.key_span is None:
        return None
    start = node.key_span.start
    if is_flow(text, mapping):
        return _insert(start, entry.in_flow(text[start]) + ", ")
    margin = " " * column_of(text, start)
    end, newline = end_of_line(text, node.span.end)
    lines = entry.in_block(newline, margin)
    if _BREAK.search(text, node.span.start, node.span.end):
        return _insert(start, lines + newline + margin)
    return _insert(end, newline + margin + lines)


def insert_at_top(text: str, mapping: Node, entry: Entry) -> Edits | None:
    """Insert an entry as the first one of a connection, right below its name."""
    keys = [child.key_span for child in mapping.children.values() if child.key_span]
    if mapping.key_span is None or (not keys and not is_flow(text, mapping)):
        return None
    if not keys:
        return _insert(mapping.span.end, entry.in_flow(""))
    start = keys[0].start
    if is_flow(text, mapping):
        return _insert(start, entry.in_flow(text[start]) + ", ")
    column = column_of(text, start)
    margin = " " * column
    end, newline = end_of_line(text, mapping.key_span.end)
    lines = entry.in_block(newline, margin)
    if text[start - column : start].strip():  # a key with a question mark
        return _insert(start, lines + newline + margin)
    return _insert(end, newline + margin + lines)


def replace_value(text: str, node: Node, value: Value) -> Edits | None:
    """Replace a value: text, a list (taken as a set) or a mapping of texts."""
    if isinstance(node.event, AliasEvent):
        written = flow_value(value) if not isinstance(value, str) else literal(value)
        return [Replacement(node.span.start, node.span.end, written)]
    if isinstance(node.event, ScalarEvent):
        return _replace_scalar(text, node, value)
    if isinstance(value, Mapping):
        return _replace_mapping(text, node, value)
    return _replace_list(text, node, value)


def append_connections(text: str, root: Node, lines: Sequence[str], value: Value) -> Edits | None:
    """Append blocks to the connections of an organization; ``value`` is what the lines hold."""
    connections = root.children.get("connections")
    if connections is None:
        return _append_mapping(text, root, lines, value)
    if not is_flow(text, connections):
        return _insert_lines(text, connections, lines)
    if connections.children or is_flow(text, root):
        return _insert_flow(text, connections, _flow_entries(value))
    if connections.key_span is None:
        return None
    margin = " " * column_of(text, connections.key_span.start)
    end = _end(text, connections)
    at, newline = end_of_line(text, end)
    start = len(text[: connections.span.start].rstrip(" "))
    return [
        Replacement(start, end, ""),
        *_insert(at, "".join(newline + margin + line for line in indented(lines))),
    ]


def _append_mapping(text: str, root: Node, lines: Sequence[str], value: Value) -> Edits | None:
    if is_flow(text, root):
        return _insert_flow(text, root, f'"connections": {flow_value(value)}')
    return _insert_lines(text, root, ["connections:", *indented(lines)])


def _insert_flow(text: str, mapping: Node, entries: str) -> Edits:
    last = max(mapping.children.values(), key=lambda child: child.span.start, default=None)
    if last is None:
        return _insert(mapping.span.end, entries)
    return _insert(_end(text, last), f", {entries}")


def _flow_entries(value: Value) -> str:
    return flow_value(value)[1:-1]


def _insert_lines(text: str, mapping: Node, lines: Sequence[str]) -> Edits | None:
    """Insert lines below the last entry of a mapping, and below the comments that belong to it."""
    keys = [child.key_span for child in mapping.children.values() if child.key_span]
    if not keys:
        return None
    column = column_of(text, keys[0].start)
    end, newline = end_of_line(text, _end(text, mapping))
    end = _below_comments(text, end, column)
    return _insert(end, "".join(newline + " " * column + line for line in lines))


def _below_comments(text: str, end: int, column: int) -> int:
    """Return the end of the last comment line below that is indented deeper than a column."""
    while match := _BREAK.match(text, end):
        stop, _ = end_of_line(text, match.end())
        line = text[match.end() : stop]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= column:
            break
        end = stop
    return end


def _replace_scalar(text: str, node: Node, value: Value) -> Edits:
    """Replace a scalar in the same style; scopes may be a text, too, and keep their order."""
    if not isinstance(value, str):
        kept = [scope for scope in _unescaped(node).split(" ") if scope in value]
        value = " ".join([*kept, *(scope for scope in value if scope not in kept)])
    start, end = _content(text, node)
    style = node.event.style
    header = _BREAK.split(text[start:end], maxsplit=1)[0]
    comment = _COMMENT.search(header) if style in {"|", ">"} else None
    written = written_like(style, escape_literal(value)) + (comment[0] if comment else "")
    return [Replacement(start, end, written)]


def _replace_list(text: str, node: Node, value: Sequence[str]) -> Edits | None:
    items = list(node.children.values())
    declared = [_unescaped(item) for item in items]
    keep = [item in value and item not in declared[:index] for index, item in enumerate(declared)]
    added = [item for item in value if item not in declared]
    replaced = [item for item, is_kept in zip(items, keep, strict=True) if not is_kept]
    styles = [_style(item) for item in (*replaced[: len(added)], *items[-1:] * len(added))] or [None] * len(
        added
    )
    in_brackets = is_flow(text, node)
    new = [
        written_like(style, escape_literal(item), is_flow=in_brackets)
        for item, style in zip(added, styles, strict=False)
    ]
    return _edit_entries(text, node, keep, new)


def _replace_mapping(text: str, node: Node, value: Mapping[str, str]) -> Edits | None:
    keep = [name in value for name in node.children]
    last = max(node.children.values(), key=lambda child: child.span.start, default=None)
    quote = text[last.key_span.start] if last is not None and last.key_span is not None else ""
    added = {name: claim for name, claim in value.items() if name not in node.children}
    if any(len(name) > LONGEST_SIMPLE_KEY for name in added):
        return None
    new = [written_entry(quote, name, escape_literal(claim)) for name, claim in added.items()]
    edits = _edit_entries(text, node, keep, new)
    for name, child in node.children.items():
        claim = value.get(str(name))
        if edits is not None and claim is not None and _unescaped(child) != claim:
            edits += replace_value(text, child, claim) or []
    return edits


def _unescaped(node: Node) -> str:
    """Return what a scalar says that holds no reference."""
    return node.text.replace(escape_literal(OPENING), OPENING)


def _style(node: Node) -> str | None:
    return node.event.style if isinstance(node.event, ScalarEvent) else None


def _edit_entries(text: str, node: Node, keep: Sequence[bool], new: Sequence[str]) -> Edits | None:
    """Put new entries in the place of those that are not kept; remove or append what is left over."""
    entries = [_entry(text, child) for child in node.children.values()]
    dropped = [index for index, is_kept in enumerate(keep) if not is_kept]
    edits = [Replacement(*entries[index], entry) for index, entry in zip(dropped, new, strict=False)]
    removed, appended = dropped[len(new) :], new[len(dropped) :]
    if is_flow(text, node):
        edits += _remove_flow(text, entries, removed)
        if appended:
            prefix = ", " if entries else ""
            edits += _insert(entries[-1][1] if entries else node.span.end, prefix + ", ".join(appended))
        return edits
    remaining = _remove_lines(text, node, entries, removed)
    if remaining is None or not entries:
        return None
    return edits + remaining + _append_lines(text, node, entries[-1], appended)


def _remove_flow(text: str, entries: Sequence[tuple[int, int]], removed: Sequence[int]) -> Edits:
    """Remove entries in braces or brackets, and the commas that nothing follows any more."""
    edits = [Replacement(*entries[index], "") for index in removed]
    commas = [_comma(text, end) for _, end in entries]
    superfluous = [*removed]
    last = max((index for index in range(len(entries)) if index not in removed), default=None)
    if last is not None and last < len(entries) - 1 and commas[-1] is None:
        superfluous.append(last)
    matches = [_COMMA.match(text, comma) for index in superfluous if (comma := commas[index]) is not None]
    return edits + [Replacement(*match.span(), "") for match in matches if match]


def _remove_lines(
    text: str, node: Node, entries: Sequence[tuple[int, int]], removed: Sequence[int]
) -> Edits | None:
    """Remove entries that have lines of their own; their comments stay."""
    edits = []
    for start, end in (entries[index] for index in removed):
        line = start - column_of(text, start)
        first = text.rfind("-", line, start) if node.children.get(0) is not None else start
        if first < 0 or text[line:first].strip() or text[first:start].strip(" -"):
            return None
        stop, newline = end_of_line(text, end)
        if text[end:stop].strip():
            edits.append(Replacement(first, end + len(text[end:stop]) - len(text[end:stop].lstrip()), ""))
        else:
            edits.append(Replacement(line, min(stop + len(newline), len(text)), ""))
    if len(removed) < len(entries):
        return edits
    emptied = _insert_empty(text, node)
    return None if emptied is None else edits + emptied


def _insert_empty(text: str, node: Node) -> Edits | None:
    """Write an empty collection behind the key of one whose entries are all removed."""
    key = node.key_span
    colon = None if key is None else _COLON.match(text, key.end)
    return None if colon is None else _insert(colon.end(), " []" if node.children.get(0) else " {}")


def _append_lines(text: str, node: Node, last: tuple[int, int], appended: Sequence[str]) -> Edits:
    if not appended:
        return []
    is_list = node.children.get(0) is not None
    column = column_of(text, last[0])
    margin = text[last[0] - column : last[0]] if is_list else " " * column
    end, newline = end_of_line(text, last[1])
    return _insert(end, "".join(newline + margin + entry for entry in appended))


def _entry(text: str, child: Node) -> tuple[int, int]:
    """Return the span of an entry: of its key and value, or of its item."""
    start = child.key_span.start if child.key_span is not None else child.span.start
    return start, _end(text, child)


def _end(text: str, node: Node) -> int:
    """Return where a value ends: without the blank lines below, with the bracket that closes it."""
    if isinstance(node.event, AliasEvent | ScalarEvent):
        return _content(text, node)[1]
    end = max((_end(text, child) for child in node.children.values()), default=node.span.end)
    if not is_flow(text, node):
        return end
    comma = _comma(text, end)
    return _skip_separators(text, end if comma is None else comma + 1) + 1


def _content(text: str, node: Node) -> tuple[int, int]:
    """Return the span of a scalar without its anchor, and without the line breaks below a block."""
    start, end = node.span.start, node.span.end
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    return start, start + len(text[start:end].rstrip(" \t\r\n"))


def _comma(text: str, end: int) -> int | None:
    """Return where the comma behind an entry in braces or brackets is."""
    position = _skip_separators(text, end)
    return position if text[position : position + 1] == "," else None


def _skip_separators(text: str, position: int) -> int:
    """Return the position behind blanks, line breaks and comments."""
    match = _FLOW_SEPARATORS.match(text, position)
    return match.end() if match else position


def _insert(position: int, text: str) -> Edits:
    return [Replacement(position, position, text)]


def is_flow(text: str, node: Node) -> bool:
    """Whether a collection is written in braces or brackets; its span is that of the opening one."""
    return node.span.start < node.span.end and text[node.span.end - 1] in "{["


def written_entry(quote: str, key: str, value: str) -> str:
    """Return an entry in double quotes if its neighbor's key has them, so that JSON remains JSON."""
    style = '"' if quote == '"' else None
    return f"{written_like(style, key)}: {written_like(style, value)}"


def column_of(text: str, index: int) -> int:
    """Return the column of a character, from 0."""
    return index - 1 - max(text.rfind("\n", 0, index), text.rfind("\r", 0, index))


def end_of_line(text: str, index: int) -> tuple[int, str]:
    """Return where the line of a character ends, and its line break."""
    match = _BREAK.search(text, index)
    if match is not None:
        return match.start(), match[0]
    first = _BREAK.search(text)
    return len(text), first[0] if first else "\n"
