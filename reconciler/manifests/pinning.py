"""Ids → the text of a manifest, with every other byte left as it is.

Lines are inserted where the places of the values say; nothing is written anew. What comes out is
read again by the rules that manifests are read by, and has to declare the same as before, but for
the ids. Where it does not (an alias, a mapping that two connections share), the id is not written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SourceLocation
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.reading import read_text
from reconciler.manifests.source import BYTE_ORDER_MARK
from reconciler.manifests.writing import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.manifests.places import Place
    from reconciler.manifests.project import Project
    from reconciler.manifests.reading import ReadFile

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_NOWHERE: Final = SourceLocation("")


@dataclass(frozen=True, slots=True)
class Pin:
    """An id to write: into the document at ``document``, for a connection or for the organization."""

    document: SourceLocation
    id: str
    connection: str | None = None


class Pinner:
    """Writes ids into the manifests of one run: the same project and the same variables for all of them."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._limits = project.read_limits
        self._reader = OrganizationReader(project, variables)

    def declared(self, content: bytes, shown: str) -> tuple[DesiredOrganization, ...]:
        """Return what the content of a file declares."""
        return self._organizations(read_text(content, shown, self._limits))

    def pinned(self, content: bytes, shown: str, pins: Sequence[Pin]) -> tuple[bytes, tuple[Pin, ...]]:
        """Return the content with the ids in it, and the pins for which there was no safe place."""
        done: list[Pin] = []
        result = self._with_pins(content, shown, pins)
        if result is not None:
            return result, ()
        result, refused = content, []
        for pin in pins:
            attempt = self._with_pins(content, shown, [*done, pin])
            if attempt is None:
                refused.append(pin)
            else:
                done.append(pin)
                result = attempt
        return result, tuple(refused)

    def _with_pins(self, content: bytes, shown: str, pins: Sequence[Pin]) -> bytes | None:
        read = read_text(content, shown, self._limits)
        edited = _edited(read, pins)
        if edited is None:
            return None
        mark = BYTE_ORDER_MARK if read.source.offset else ""
        result = (mark + edited).encode()
        expected = _nowhere(_expected(one, pins) for one in self._organizations(read))
        return result if _nowhere(self.declared(result, shown)) == expected else None

    def _organizations(self, read: ReadFile) -> tuple[DesiredOrganization, ...]:
        found = (
            self._reader.read(document, read.source, read.findings.document(index))
            for index, document in read.documents
        )
        return tuple(one for one in found if one is not None)


def _expected(organization: DesiredOrganization, pins: Iterable[Pin]) -> DesiredOrganization:
    ids = {pin.connection: pin.id for pin in pins if pin.document == organization.location}
    return replace(
        organization,
        organization_id=ids.get(None, organization.organization_id),
        connections=tuple(_pinned(one, ids) for one in organization.connections),
    )


def _pinned(one: DesiredConnection, ids: Mapping[str | None, str]) -> DesiredConnection:
    connection_id = ids.get(one.address.connection, one.connection.connection_id)
    return replace(one, connection=replace(one.connection, connection_id=connection_id))


def _nowhere(organizations: Iterable[DesiredOrganization]) -> list[DesiredOrganization]:
    """Return what is declared, wherever it stands."""
    return [
        replace(
            organization,
            location=_NOWHERE,
            connections=tuple(replace(one, location=_NOWHERE) for one in organization.connections),
        )
        for organization in organizations
    ]


def _edited(read: ReadFile, pins: Iterable[Pin]) -> str | None:
    """Return the text with all insertions made, or None if one has no place."""
    text = read.source.text
    roots = {read.source.location(root.span.start).byte: root for root in read.findings.places.documents}
    insertions = []
    for pin in pins:
        insertion = _insertion(text, roots.get(pin.document.byte), pin)
        if insertion is None:
            return None
        insertions.append(insertion)
    for position, inserted in sorted(insertions, reverse=True):
        text = text[:position] + inserted + text[position:]
    return text


def _insertion(text: str, root: Place | None, pin: Pin) -> tuple[int, str] | None:
    """Return where something is to be inserted, and what."""
    if root is None:
        return None
    if pin.connection is None:
        return _beside(text, root, "organization", f"organization_id: {scalar(pin.id)}")
    path = ("connections", pin.connection)
    return _at_top(text, root.find(path), pin.id) if root.has(path) else None


def _beside(text: str, mapping: Place, neighbour: str, entry: str) -> tuple[int, str] | None:
    """Insert an entry on the line below its neighbour's; above it, if that one has several lines."""
    place = mapping.children.get(neighbour)
    if place is None or place.key is None:
        return None
    start = place.key.start
    if _is_flow(text, mapping):
        return start, _quoted_like(text[start], entry) + ", "
    margin = " " * _column(text, start)
    end, newline = _line_end(text, place.span.end)
    if _BREAK.search(text, place.span.start, place.span.end):
        return start, entry + newline + margin
    return end, newline + margin + entry


def _at_top(text: str, mapping: Place, connection_id: str) -> tuple[int, str] | None:
    """Insert the id as the first entry of a connection, right below its name."""
    entry = f"connection_id: {scalar(connection_id)}"
    keys = [one.key for one in mapping.children.values() if one.key]
    if mapping.key is None or (not keys and not _is_flow(text, mapping)):
        return None
    if not keys:
        return mapping.span.end, entry
    start = keys[0].start
    if _is_flow(text, mapping):
        return start, _quoted_like(text[start], entry) + ", "
    column = _column(text, start)
    margin = " " * column
    end, newline = _line_end(text, mapping.key.end)
    if text[start - column : start].strip():  # a key with a question mark
        return start, entry + newline + margin
    return end, newline + margin + entry


def _is_flow(text: str, mapping: Place) -> bool:
    """Whether a mapping is written in braces; its place is that of the opening one."""
    return mapping.span.start < mapping.span.end and text[mapping.span.end - 1] == "{"


def _quoted_like(sign: str, entry: str) -> str:
    """Return an entry in double quotes where its neighbour's key has some, so that JSON stays JSON."""
    name, _, value = entry.partition(": ")
    return f'"{name}": "{value}"' if sign == '"' else entry


def _column(text: str, index: int) -> int:
    breaks = [found.end() for found in _BREAK.finditer(text, 0, index)]
    return index - (breaks[-1] if breaks else 0)


def _line_end(text: str, index: int) -> tuple[int, str]:
    """Return where the line of a character ends, and the sort of break it ends with."""
    found = _BREAK.search(text, index)
    if found is not None:
        return found.start(), found[0]
    first = _BREAK.search(text)
    return len(text), first[0] if first else "\n"
