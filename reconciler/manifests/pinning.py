"""Adds IDs to the text of a manifest, and leaves every other byte unchanged.

Lines are inserted at the places of the values; nothing is rewritten. The result is read again as a
manifest, and has to declare the same as before except for the IDs. Where it does not (an alias, a
mapping that two connections share), the ID is not written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SourceLocation
from reconciler.manifests.document import parse_content
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.source_file import BYTE_ORDER_MARK
from reconciler.manifests.yaml_writer import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Node

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_NOWHERE: Final = SourceLocation("")


@dataclass(frozen=True, slots=True)
class Pin:
    """An ID to write into the document at ``document``, for a connection or for the organization."""

    document: SourceLocation
    id: str
    connection: str | None = None


class Pinner:
    """Writes IDs into the manifests of one run, with the project's defaults and variables."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._limits = project.read_limits
        self._reader = OrganizationReader(project, variables)

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
        edited = _edited(parsed, pins)
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
    ids = {pin.connection: pin.id for pin in pins if pin.document == organization.location}
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


def _edited(parsed: ParsedFile, pins: Iterable[Pin]) -> str | None:
    """Return the text with all insertions made, or None if one has no place."""
    text = parsed.source.text
    roots = {parsed.source.location(root.span.start).byte: root for root in parsed.documents}
    insertions = []
    for pin in pins:
        insertion = _insertion(text, roots.get(pin.document.byte), pin)
        if insertion is None:
            return None
        insertions.append(insertion)
    for position, inserted in sorted(insertions, reverse=True):
        text = text[:position] + inserted + text[position:]
    return text


def _insertion(text: str, root: Node | None, pin: Pin) -> tuple[int, str] | None:
    """Return where something is to be inserted, and what."""
    if root is None:
        return None
    if pin.connection is None:
        return _beside(text, root, "organization", f"organization_id: {scalar(pin.id)}")
    path = ("connections", pin.connection)
    return _at_top(text, root.find(path), pin.id) if root.has(path) else None


def _beside(text: str, mapping: Node, neighbour: str, entry: str) -> tuple[int, str] | None:
    """Insert an entry on the line below its neighbour's; above it, if that one has several lines."""
    node = mapping.children.get(neighbour)
    if node is None or node.key_span is None:
        return None
    start = node.key_span.start
    if _is_flow(text, mapping):
        return start, _quoted_like(text[start], entry) + ", "
    margin = " " * _column(text, start)
    end, newline = _line_end(text, node.span.end)
    if _BREAK.search(text, node.span.start, node.span.end):
        return start, entry + newline + margin
    return end, newline + margin + entry


def _at_top(text: str, mapping: Node, connection_id: str) -> tuple[int, str] | None:
    """Insert the ID as the first entry of a connection, right below its name."""
    entry = f"connection_id: {scalar(connection_id)}"
    keys = [child.key_span for child in mapping.children.values() if child.key_span]
    if mapping.key_span is None or (not keys and not _is_flow(text, mapping)):
        return None
    if not keys:
        return mapping.span.end, entry
    start = keys[0].start
    if _is_flow(text, mapping):
        return start, _quoted_like(text[start], entry) + ", "
    column = _column(text, start)
    margin = " " * column
    end, newline = _line_end(text, mapping.key_span.end)
    if text[start - column : start].strip():  # a key with a question mark
        return start, entry + newline + margin
    return end, newline + margin + entry


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
