"""Adds IDs to the text of a manifest, and leaves every other byte unchanged.

Lines are inserted at the places of the values; nothing is rewritten. The result is read again as a
manifest, and has to declare the same as before except for the IDs. Where it does not (an alias, a
mapping that two connections share), the ID is not written.

An ID is written as an entry of a map by environment where its field has a map, or another field of the
file has one; a single ID of another environment becomes the first entry of such a map.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.core.errors import SourceLocation
from reconciler.manifests.document import parse_content
from reconciler.manifests.environments import environment_of
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.source_file import BYTE_ORDER_MARK
from reconciler.manifests.yaml_writer import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.environments import RunEnvironment
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Node

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_NOWHERE: Final = SourceLocation("")
_INDENT: Final = 2
_ORGANIZATION: Final = "organization_id"
_CONNECTION: Final = "connection_id"

_Edit: TypeAlias = tuple[int, int, str]
"""A stretch of the text, from its start to its end, and what replaces it."""


@dataclass(frozen=True, slots=True)
class Pin:
    """An ID to write into the document at ``document``, for a connection or for the organization.

    Without an ``id``, the single ID of another environment only becomes a map.
    """

    document: SourceLocation
    id: str
    connection: str | None = None


class Pinner:
    """Writes IDs into the manifests of one run, with the project's defaults and variables."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._limits = project.read_limits
        self._environment = replace(project.environment, is_lenient=True)
        self._reader = OrganizationReader(replace(project, environment=self._environment), variables)

    def declared(self, content: bytes, display_path: str) -> tuple[DesiredOrganization, ...]:
        """Return what the content of a file declares."""
        return self._organizations(parse_content(content, display_path, self._limits))

    def pinned(self, content: bytes, display_path: str, pins: Sequence[Pin]) -> tuple[bytes, tuple[Pin, ...]]:
        """Return the content with the IDs in it, and the pins for which there is no safe place."""
        done: list[Pin] = []
        result = self._with_pins(content, display_path, pins)
        if result is not None:
            return result, ()
        result, refused = content, []
        for pin in pins:
            attempt = self._with_pins(content, display_path, [*done, pin])
            if attempt is None:
                refused.append(pin)
            else:
                done.append(pin)
                result = attempt
        return result, tuple(refused)

    def _with_pins(self, content: bytes, display_path: str, pins: Sequence[Pin]) -> bytes | None:
        parsed = parse_content(content, display_path, self._limits)
        edited = _edited(parsed, pins, self._environment)
        if edited is None:
            return None
        mark = BYTE_ORDER_MARK if parsed.source.offset else ""
        result = (mark + edited).encode()
        expected = _without_places(
            _expected(organization, pins) for organization in self._organizations(parsed)
        )
        return result if _without_places(self.declared(result, display_path)) == expected else None

    def _organizations(self, parsed: ParsedFile) -> tuple[DesiredOrganization, ...]:
        organizations = (
            self._reader.read(document, parsed.source, parsed.findings.document(document))
            for document in parsed.documents
        )
        return tuple(organization for organization in organizations if organization is not None)


def _expected(organization: DesiredOrganization, pins: Iterable[Pin]) -> DesiredOrganization:
    ids = {pin.connection: pin.id for pin in pins if pin.id and pin.document == organization.location}
    return replace(
        organization,
        organization_id=ids.get(None, organization.organization_id),
        connections=tuple(_pinned(connection, ids) for connection in organization.connections),
    )


def _pinned(desired: DesiredConnection, ids: Mapping[str | None, str]) -> DesiredConnection:
    connection_id = ids.get(desired.address.connection, desired.connection.connection_id)
    return replace(desired, connection=replace(desired.connection, connection_id=connection_id))


def _without_places(organizations: Iterable[DesiredOrganization]) -> list[DesiredOrganization]:
    """Return what is declared, without where it is declared."""
    return [
        replace(
            organization,
            location=_NOWHERE,
            connections=tuple(
                replace(connection, location=_NOWHERE, secret_location=None)
                for connection in organization.connections
            ),
        )
        for organization in organizations
    ]


def _edited(parsed: ParsedFile, pins: Sequence[Pin], environment: RunEnvironment) -> str | None:
    """Return the text with all edits made, or None if one has no place."""
    text = parsed.source.text
    roots = {parsed.source.location(root.span.start).byte: root for root in parsed.documents}
    fields = [_Field.of(text, roots.get(pin.document.byte), pin) for pin in pins]
    has_map = any(map(_has_map, parsed.documents)) or any(field and field.node for field in fields)
    edits: list[_Edit] = []
    for pin, field in zip(pins, fields, strict=True):
        if field is None:
            return None
        added = field.edits(pin.id, environment, as_map=has_map and bool(environment.name))
        if added is None:
            return None
        edits += added
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


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
    def of(cls, text: str, root: Node | None, pin: Pin) -> _Field | None:
        """Return the place of a pin, if it has one."""
        path = () if pin.connection is None else ("connections", pin.connection)
        if root is None or not root.has(path):
            return None
        name = _ORGANIZATION if pin.connection is None else _CONNECTION
        mapping = root.find(path)
        return cls(text=text, name=name, mapping=mapping, node=mapping.children.get(name))

    def edits(self, identifier: str, environment: RunEnvironment, *, as_map: bool) -> list[_Edit] | None:
        """Return the edits that write an ID, or None if there is no place for it."""
        if self.node is None:
            entry = _Entry(self.name, identifier, environment.name if as_map else "")
            return self._insert(entry)
        if not isinstance(self.node.value, dict):
            return self._make_map(self.node, {environment.name: identifier} if identifier else {})
        return self._extend_map(self.node, environment.key_in(self.node.value), identifier)

    def _insert(self, entry: _Entry) -> list[_Edit] | None:
        if self.name == _ORGANIZATION:
            return _beside(self.text, self.mapping, "organization", entry)
        return _at_top(self.text, self.mapping, entry)

    def _make_map(self, node: Node, entries: Mapping[str, str]) -> list[_Edit] | None:
        """Make the single ID the first entry of a map: on lines of their own, where that is possible."""
        key = environment_of(node.text)
        if node.key_span is None or not key:
            return None
        (start, end), first = (node.span.start, node.span.end), node.key_span.start
        colon = self.text.find(":", node.key_span.end, start)
        if _is_flow(self.text, self.mapping) or self.text[colon + 1 : start].strip(" "):
            quote = self.text[first]
            old = _quoted_like(quote, f"{key}: ").removesuffix('""') + self.text[start:end]
            new = (_quoted_like(quote, f"{name}: {scalar(value)}") for name, value in entries.items())
            return [(start, end, "{" + ", ".join((old, *new)) + "}")]
        margin = " " * (_column(self.text, first) + _INDENT)
        line_end, newline = _line_end(self.text, end)
        lines = "".join(f"{newline}{margin}{name}: {scalar(value)}" for name, value in entries.items())
        return [(colon + 1, start, f"{newline}{margin}{key}: "), (line_end, line_end, lines)]

    def _extend_map(self, node: Node, key: str, identifier: str) -> list[_Edit] | None:
        children = [child for child in node.children.values() if child.key_span]
        if not identifier or not children or children[0].key_span is None:
            return [] if not identifier else None
        first, end = children[0].key_span.start, children[-1].span.end
        entry = f"{key}: {scalar(identifier)}"
        if _is_flow(self.text, node):
            return [(end, end, ", " + _quoted_like(self.text[first], entry))]
        line_end, newline = _line_end(self.text, end)
        return [(line_end, line_end, newline + " " * _column(self.text, first) + entry)]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A new key with its ID; with an ``environment``, with a map of that ID."""

    name: str
    id: str
    environment: str = ""

    def in_block(self, newline: str, margin: str) -> str:
        """Return its lines."""
        if not self.environment:
            return f"{self.name}: {scalar(self.id)}"
        return f"{self.name}:{newline}{margin}{' ' * _INDENT}{self.environment}: {scalar(self.id)}"

    def in_flow(self, quote: str) -> str:
        """Return it for a mapping in braces; in double quotes if that is the quote of its neighbor."""
        if not self.environment:
            return _quoted_like(quote, f"{self.name}: {scalar(self.id)}")
        pin = _quoted_like(quote, f"{self.environment}: {scalar(self.id)}")
        return _quoted_like(quote, f"{self.name}: ").removesuffix('""') + f"{{{pin}}}"


def _beside(text: str, mapping: Node, neighbor: str, entry: _Entry) -> list[_Edit] | None:
    """Insert an entry on the line below its neighbor's; above it, if that one has several lines."""
    node = mapping.children.get(neighbor)
    if node is None or node.key_span is None:
        return None
    start = node.key_span.start
    if _is_flow(text, mapping):
        return [(start, start, entry.in_flow(text[start]) + ", ")]
    margin = " " * _column(text, start)
    end, newline = _line_end(text, node.span.end)
    lines = entry.in_block(newline, margin)
    if _BREAK.search(text, node.span.start, node.span.end):
        return [(start, start, lines + newline + margin)]
    return [(end, end, newline + margin + lines)]


def _at_top(text: str, mapping: Node, entry: _Entry) -> list[_Edit] | None:
    """Insert the ID as the first entry of a connection, right below its name."""
    keys = [child.key_span for child in mapping.children.values() if child.key_span]
    if mapping.key_span is None or (not keys and not _is_flow(text, mapping)):
        return None
    if not keys:
        return [(mapping.span.end, mapping.span.end, entry.in_flow(""))]
    start = keys[0].start
    if _is_flow(text, mapping):
        return [(start, start, entry.in_flow(text[start]) + ", ")]
    column = _column(text, start)
    margin = " " * column
    end, newline = _line_end(text, mapping.key_span.end)
    lines = entry.in_block(newline, margin)
    if text[start - column : start].strip():  # a key with a question mark
        return [(start, start, lines + newline + margin)]
    return [(end, end, newline + margin + lines)]


def _is_flow(text: str, mapping: Node) -> bool:
    """Whether a mapping is written in braces; its span is that of the opening one."""
    return mapping.span.start < mapping.span.end and text[mapping.span.end - 1] == "{"


def _quoted_like(character: str, entry: str) -> str:
    """Return an entry in double quotes if its neighbour's key has them, so that JSON remains JSON."""
    name, _, value = entry.partition(": ")
    return f'"{name}": "{value}"' if character == '"' else entry


def _column(text: str, index: int) -> int:
    breaks = [match.end() for match in _BREAK.finditer(text, 0, index)]
    return index - (breaks[-1] if breaks else 0)


def _line_end(text: str, index: int) -> tuple[int, str]:
    """Return where the line of a character ends, and its line break."""
    match = _BREAK.search(text, index)
    if match is not None:
        return match.start(), match[0]
    first = _BREAK.search(text)
    return len(text), first[0] if first else "\n"
