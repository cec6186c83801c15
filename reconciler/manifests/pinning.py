"""Finds the places of IDs in the text of a manifest.

An ID is written as an entry of a map by environment where its field has a map, or another field of the
file has one; a single ID of another environment becomes the first entry of such a map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.manifests.environments import environment_of
from reconciler.manifests.text_edits import (
    INDENT,
    Entry,
    Replacement,
    column_of,
    end_of_line,
    insert_at_top,
    insert_beside,
    is_flow,
    written_entry,
)
from reconciler.manifests.yaml_writer import written_like

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.errors import SourceLocation
    from reconciler.manifests.environments import RunEnvironment
    from reconciler.manifests.text_edits import Edits
    from reconciler.manifests.yaml_reader import Node

_ORGANIZATION: Final = "organization_id"
_CONNECTION: Final = "connection_id"


@dataclass(frozen=True, slots=True)
class Pin:
    """An ID to write into the document at ``document``, for a connection or for the organization.

    Without an ``id``, the single ID of another environment only becomes a map.
    """

    document: SourceLocation
    id: str
    connection: str | None = None


def pin_edits(
    text: str, pins: Sequence[tuple[Pin, Node]], documents: Sequence[Node], environment: RunEnvironment
) -> Edits | None:
    """Return the edits that write all pins into their documents, or None if one has no place."""
    fields = [_Field.of(text, root, pin) for pin, root in pins]
    has_map = any(map(_has_map, documents)) or any(field and field.node for field in fields)
    edits: Edits = []
    for (pin, _), field in zip(pins, fields, strict=True):
        if field is None:
            return None
        added = field.edits(pin.id, environment, as_map=has_map and bool(environment.name))
        if added is None:
            return None
        edits += added
    return edits


def by_environment(
    lines: Iterable[str], documents: Sequence[Node], environment: RunEnvironment
) -> tuple[str, ...]:
    """Return the lines of new connections, with their ids as maps if another pin of the file is a map."""
    if not environment.name or not any(map(_has_map, documents)):
        return tuple(lines)
    key = f"  {_CONNECTION}: "
    split = (
        (key.rstrip(), f"    {environment.name}: {line.removeprefix(key)}")
        if line.startswith(key)
        else (line,)
        for line in lines
    )
    return tuple(part for parts in split for part in parts)


def _has_map(document: Node) -> bool:
    """Whether a pin of a document is a map by environment."""
    connections = document.children.get("connections")
    blocks = (document, *(connections.children.values() if connections else ()))
    pins = (block.children.get(name) for block in blocks for name in (_ORGANIZATION, _CONNECTION))
    return any(pin is not None and isinstance(pin.value, dict) for pin in pins)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """The place of an ID: its name, the mapping that it belongs in, and what is there now."""

    text: str
    name: str
    mapping: Node
    node: Node | None

    @classmethod
    def of(cls, text: str, root: Node, pin: Pin) -> _Field | None:
        """Return the place of a pin, if it has one."""
        path = () if pin.connection is None else ("connections", pin.connection)
        if not root.has(path):
            return None
        name = _ORGANIZATION if pin.connection is None else _CONNECTION
        mapping = root.find(path)
        return cls(text=text, name=name, mapping=mapping, node=mapping.children.get(name))

    def edits(self, identifier: str, environment: RunEnvironment, *, as_map: bool) -> Edits | None:
        """Return the edits that write an ID, or None if there is no place for it."""
        if self.node is None:
            entry = Entry(self.name, identifier, environment.name if as_map else "")
            return self._insert(entry)
        if not isinstance(self.node.value, dict):
            return self._make_map(self.node, {environment.name: identifier} if identifier else {})
        return self._extend_map(self.node, environment.key_in(self.node.value), identifier)

    def _insert(self, entry: Entry) -> Edits | None:
        if self.name == _ORGANIZATION:
            return insert_beside(self.text, self.mapping, "organization", entry)
        return insert_at_top(self.text, self.mapping, entry)

    def _make_map(self, node: Node, entries: Mapping[str, str]) -> Edits | None:
        """Make the single ID the first entry of a map: on lines of their own, where that is possible."""
        key = environment_of(node.text)
        if node.key_span is None or not key:
            return None
        (start, end), first = (node.span.start, node.span.end), node.key_span.start
        colon = self.text.find(":", node.key_span.end, start)
        if is_flow(self.text, self.mapping) or self.text[colon + 1 : start].strip(" "):
            quote = self.text[first]
            old = f"{written_like(quote, key)}: {self.text[start:end]}"
            new = (written_entry(quote, name, value) for name, value in entries.items())
            return [Replacement(start, end, "{" + ", ".join((old, *new)) + "}")]
        margin = " " * column_of(self.text, first) + INDENT
        stop, newline = end_of_line(self.text, end)
        lines = "".join(newline + margin + written_entry("", name, value) for name, value in entries.items())
        return [Replacement(colon + 1, start, f"{newline}{margin}{key}: "), Replacement(stop, stop, lines)]

    def _extend_map(self, node: Node, key: str, identifier: str) -> Edits | None:
        children = [child for child in node.children.values() if child.key_span]
        if not identifier or not children or children[0].key_span is None:
            return [] if not identifier else None
        first, end = children[0].key_span.start, children[-1].span.end
        if is_flow(self.text, node):
            return [Replacement(end, end, ", " + written_entry(self.text[first], key, identifier))]
        stop, newline = end_of_line(self.text, end)
        margin = " " * column_of(self.text, first)
        return [Replacement(stop, stop, newline + margin + written_entry("", key, identifier))]
