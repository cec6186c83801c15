"""Edits the text of a manifest by place, and leaves every other byte unchanged.

The result of an edit is read again as a manifest, and has to declare the same as before except for
what the edit is about. Where it does not (an alias, a mapping that two connections share), the edit
is not made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from reconciler.core.errors import SourceLocation
from reconciler.core.secret import Locator
from reconciler.manifests.document import parse_content
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.pinning import Pin, by_environment, pin_edits
from reconciler.manifests.source_file import BYTE_ORDER_MARK
from reconciler.manifests.text_edits import (
    Entry,
    append_connections,
    insert_at_top,
    replace_all,
    replace_value,
)
from reconciler.manifests.yaml_reader import ReadLimits, read_yaml
from reconciler.manifests.yaml_writer import indented, literal
from reconciler.secrets import parse_template
from reconciler.secrets.references import escape_literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.environments import RunEnvironment
    from reconciler.manifests.project import Project
    from reconciler.manifests.text_edits import Edits
    from reconciler.manifests.yaml_reader import Node, Value

HOLDS_REFERENCE: Final = "its value holds a reference"
NO_SAFE_PLACE: Final = "it cannot be written into this block without changing something else"

_NOWHERE: Final = SourceLocation("")


@dataclass(frozen=True, slots=True)
class SetField:
    """A declared field of a connection, and the value that it gets."""

    document: SourceLocation
    connection: str
    field: str
    value: str | tuple[str, ...] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AddConnections:
    """Blocks to append to the connections of an organization, as lines of YAML."""

    document: SourceLocation
    lines: tuple[str, ...]


Edit: TypeAlias = Pin | SetField | AddConnections


@dataclass(frozen=True, slots=True)
class RefusedEdit:
    """An edit that was not made, and why."""

    edit: Edit
    reason: str


class ManifestEditor:
    """Edits the manifests of one run, with the project's defaults and variables."""

    def __init__(self, project: Project, variables: Mapping[str, str]) -> None:
        self._limits = project.read_limits
        self._environment = replace(project.environment, is_lenient=True)
        self._reader = OrganizationReader(replace(project, environment=self._environment), variables)

    def declared(self, content: bytes, display_path: str) -> tuple[DesiredOrganization, ...]:
        """Return what the content of a file declares."""
        return self._organizations(parse_content(content, display_path, self._limits))

    def edited(
        self, content: bytes, display_path: str, edits: Sequence[Edit]
    ) -> tuple[bytes, tuple[RefusedEdit, ...]]:
        """Return the content with all edits made that have a safe place, and the other edits."""
        parsed = parse_content(content, display_path, self._limits)
        referring = [edit for edit in edits if _replaces_reference(parsed, edit)]
        refused = [RefusedEdit(edit, HOLDS_REFERENCE) for edit in referring]
        possible = [edit for edit in edits if edit not in referring]
        safe = self._safe(parsed, [], possible)
        refused += [RefusedEdit(edit, NO_SAFE_PLACE) for edit in possible if edit not in safe]
        return self._with_edits(parsed, safe) or content, tuple(refused)

    def _safe(self, parsed: ParsedFile, done: Sequence[Edit], edits: Sequence[Edit]) -> list[Edit]:
        """Return the edits that have a safe place beside those that are done; halves are tried apart."""
        if not edits or self._with_edits(parsed, [*done, *edits]) is not None:
            return [*edits]
        if len(edits) == 1:
            return []
        middle = len(edits) // 2
        first = self._safe(parsed, done, edits[:middle])
        return [*first, *self._safe(parsed, [*done, *first], edits[middle:])]

    def _with_edits(self, parsed: ParsedFile, edits: Sequence[Edit]) -> bytes | None:
        """Return the edited content, or None if it would not declare exactly what is expected."""
        text = _edited(parsed, edits, self._environment)
        if text is None:
            return None
        result = ((BYTE_ORDER_MARK if parsed.source.offset else "") + text).encode()
        if len(result) > self._limits.max_bytes:
            return None
        expected = [self._expected(organization, edits) for organization in self._organizations(parsed)]
        declared = self.declared(result, parsed.source.path)
        return result if _without_places(declared) == _without_places(expected) else None

    def _organizations(self, parsed: ParsedFile) -> tuple[DesiredOrganization, ...]:
        organizations = (
            self._reader.read(document, parsed.source, parsed.findings.document(document))
            for document in parsed.documents
        )
        return tuple(organization for organization in organizations if organization is not None)

    def _expected(self, organization: DesiredOrganization, edits: Iterable[Edit]) -> DesiredOrganization:
        for edit in edits:
            if edit.document != organization.location:
                continue
            match edit:
                case Pin():
                    organization = _with_pin(organization, edit)
                case SetField():
                    organization = _with_field(organization, edit.connection, edit.field, edit.value)
                case AddConnections():
                    added = self._added(organization, edit)
                    organization = replace(organization, connections=(*organization.connections, *added))
                case _:
                    assert_never(edit)
        return organization

    def _added(self, organization: DesiredOrganization, edit: AddConnections) -> Iterator[DesiredConnection]:
        """Yield what new blocks declare in a document of their own."""
        lines = [f"organization: {literal(organization.reference)}", "connections:", *indented(edit.lines)]
        for document in self.declared("\n".join(lines).encode(), ""):
            yield from document.connections


def _with_pin(organization: DesiredOrganization, pin: Pin) -> DesiredOrganization:
    if not pin.id:
        return organization
    if pin.connection is None:
        return replace(organization, organization_id=pin.id)
    return _with_field(organization, pin.connection, "connection_id", pin.id)


def _with_field(
    organization: DesiredOrganization, name: str, field: str, value: Value
) -> DesiredOrganization:
    return replace(
        organization,
        connections=tuple(
            replace(desired, connection=replace(desired.connection, **{field: value}))
            if desired.address.connection == name
            else desired
            for desired in organization.connections
        ),
    )


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


def _replaces_reference(parsed: ParsedFile, edit: Edit) -> bool:
    """Whether an edit would replace a value that refers to a variable."""
    if not isinstance(edit, SetField):
        return False
    path = ("connections", edit.connection, edit.field)
    root = _roots(parsed).get(edit.document.byte)
    return root is not None and root.has(path) and any(map(_refers, _scalars(root.find(path))))


def _refers(text: str) -> bool:
    return any(isinstance(part, Locator) for part in parse_template(text))


def _scalars(node: Node) -> Iterator[str]:
    yield node.text
    for child in node.children.values():
        yield from _scalars(child)


def _edited(parsed: ParsedFile, edits: Iterable[Edit], environment: RunEnvironment) -> str | None:
    """Return the text with all edits made, or None if one has no place."""
    text, roots = parsed.source.text, _roots(parsed)
    pins: list[tuple[Pin, Node]] = []
    replacements: Edits = []
    for edit in edits:
        root = roots.get(edit.document.byte)
        if root is None:
            return None
        if isinstance(edit, Pin):
            pins.append((edit, root))
            continue
        made = _replacements(text, root, _with_maps(edit, parsed, environment))
        if made is None:
            return None
        replacements += made
    pinned = pin_edits(text, pins, parsed.documents, environment)
    return None if pinned is None else replace_all(text, [*replacements, *pinned])


def _with_maps(
    edit: SetField | AddConnections, parsed: ParsedFile, environment: RunEnvironment
) -> SetField | AddConnections:
    if isinstance(edit, SetField):
        return edit
    return replace(edit, lines=by_environment(edit.lines, parsed.documents, environment))


def _roots(parsed: ParsedFile) -> dict[int, Node]:
    return {parsed.source.location(root.span.start).byte: root for root in parsed.documents}


def _replacements(text: str, root: Node, edit: SetField | AddConnections) -> Edits | None:
    if isinstance(edit, SetField):
        return _set_field(text, root, edit)
    (blocks,) = read_yaml("\n".join(edit.lines), ReadLimits()).documents
    return append_connections(text, root, edit.lines, blocks.value)


def _set_field(text: str, root: Node, edit: SetField) -> Edits | None:
    """Replace a value; the display_name is inserted where the connection's key stands for it."""
    block = ("connections", edit.connection)
    if root.has((*block, edit.field)):
        return replace_value(text, root.find((*block, edit.field)), edit.value)
    if not root.has(block) or not isinstance(edit.value, str):
        return None
    return insert_at_top(text, root.find(block), Entry(edit.field, escape_literal(edit.value)))
