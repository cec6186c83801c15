"""Checks whether earlier versions of manifests set ``prevent_destroy: true`` for a connection.

A past version is read with the current YAML reader and interpolation, but not validated, because its rules
may have been different. What cannot be read or determined counts as protected, because a delete cannot be
undone. An undefined variable may stand for any name. A version that is not valid YAML counts for
every connection of an organization, unless its text does not mention the organization, or not
``prevent_destroy``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.manifests.document import parse_content
from reconciler.manifests.environments import RunEnvironment
from reconciler.manifests.findings import Findings
from reconciler.manifests.interpolation import Interpolation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import Organization
    from reconciler.manifests.document import ParsedFile
    from reconciler.manifests.source_file import Source
    from reconciler.manifests.yaml_reader import Node, ReadLimits, Value

PROTECTING_KEY: Final = "prevent_destroy"

_UNKNOWN_NAME: Final = re.compile(r"""\borganization(?:_id)?["']?\s*:[^:]*?(?:\$\{|\\)""")
"""An organization whose name a variable or an escape hides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBlock:
    """What a past manifest said about a connection. ``is_certain``: it was readable, not assumed."""

    is_protected: bool
    location: SourceLocation
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class PastManifests:
    """Reads past versions of manifests, with the variables of today."""

    variables: Mapping[str, str]
    limits: ReadLimits
    environment: RunEnvironment = field(default_factory=RunEnvironment)

    def read(self, content: bytes, display_path: str) -> PastManifest:
        """Read a version of a file."""
        parsed = parse_content(content, display_path, self.limits)
        rules = Interpolation(variables=self.variables, policy=None, holds_secret=lambda _path: True)
        findings = Findings(parsed.source)
        documents = [
            (document, rules.apply(document.value, findings.document(document)))
            for document in parsed.documents
        ]
        return PastManifest(content, parsed, tuple(documents), self.environment)


@dataclass(frozen=True, slots=True)
class PastManifest:
    """A version of a manifest. ``documents`` are those that are readable, with their interpolated values."""

    content: bytes
    parsed: ParsedFile
    documents: tuple[tuple[Node, Value], ...]
    environment: RunEnvironment = field(default_factory=RunEnvironment)

    def find(
        self, organization: Organization, reference: str, connection: OidcConnection
    ) -> PastBlock | None:
        """Return the block that declared a connection, a protected one first."""
        names = organization.names | {reference}
        blocks: list[PastBlock] = []
        if self.parsed.findings.has_errors and _may_protect(self.content, names):
            location = self.parsed.findings.diagnostics[0].location
            assert location is not None
            blocks.append(PastBlock(is_protected=True, location=location, is_certain=False))
        for document, values in self.documents:
            if _may_declare(values, names, organization.organization_id, self.environment):
                blocks += _blocks(document, values, connection, self)
        return max(blocks, key=lambda block: (block.is_protected, block.is_certain), default=None)

    def declared(self) -> tuple[DeclaredValues, ...]:
        """Return the readable documents that are mappings, with the places of their keys."""
        return tuple(
            DeclaredValues(values=values, source=self.parsed.source, root=document)
            for document, values in self.documents
            if isinstance(values, dict)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredValues:
    """The values of a document, valid or not."""

    values: Mapping[str, Value]
    source: Source
    root: Node

    def locate(self, path: tuple[str, ...]) -> SourceLocation:
        """Return where the key of a path is, or that of its nearest ancestor."""
        node = self.root.find(path)
        return self.source.location((node.key_span or node.span).start)


def _may_protect(content: bytes, names: frozenset[str]) -> bool:
    """Whether a text that cannot be read may protect connections of an organization with these names."""
    text = content.replace(b"\0", b"").decode(errors="replace")
    may_declare = any(name in text for name in names) or _UNKNOWN_NAME.search(text) is not None
    return PROTECTING_KEY in text and may_declare


def _may_declare(
    values: Value, names: frozenset[str], organization_id: str, environment: RunEnvironment
) -> bool:
    """Whether a document declares the organization; a pin outweighs the name."""
    if not isinstance(values, dict):
        return False
    pin = _text(environment.entry(values.get("organization_id")))
    if pin:
        return pin == organization_id
    name = _text(values.get("organization"))
    return pin is None or name is None or name in names


def _blocks(
    document: Node, values: Value, connection: OidcConnection, manifest: PastManifest
) -> Iterator[PastBlock]:
    source, environment = manifest.parsed.source, manifest.environment
    connections = values.get("connections")
    if connections is None:
        return
    if not isinstance(connections, dict):
        location = source.location(document.find(("connections",)).span.start)
        yield PastBlock(is_protected=True, location=location, is_certain=False)
        return
    for name, block in connections.items():
        node = document.find(("connections", name))
        location = source.location((node.key_span or node.span).start)
        if block is not None and not isinstance(block, dict):
            yield PastBlock(is_protected=True, location=location, is_certain=False)
        elif _may_mean(name, block or {}, connection, environment):
            protection = _protection(block or {})
            yield PastBlock(
                is_protected=protection is not False,
                location=location,
                is_certain=isinstance(protection, bool),
            )


def _may_mean(
    name: str, block: Mapping[str, Value], connection: OidcConnection, environment: RunEnvironment
) -> bool:
    """Whether a block declared the connection: by its pin, a name, or its client at the issuer."""
    pin = _text(environment.entry(block.get("connection_id")))
    if pin != "":
        return pin in {None, connection.connection_id}
    previous = block.get("previous_display_names")
    names = [block.get("display_name", name), *(previous if isinstance(previous, list) else ())]
    texts = [_text(name) for name in names]
    if connection.display_name in texts or None in texts:
        return True
    issuer, client_id = _text(block.get("issuer")), _text(block.get("client_id"))
    is_same_client = issuer in {None, connection.issuer} and client_id in {None, connection.client_id}
    return bool(connection.issuer) and is_same_client


def _protection(block: Mapping[str, Value]) -> Value:
    """Return the value of ``prevent_destroy``; if it is not a boolean, it cannot be determined."""
    lifecycle = block.get("lifecycle")
    if lifecycle is None:
        return False
    return lifecycle.get(PROTECTING_KEY, False) if isinstance(lifecycle, dict) else None


def _text(value: Value) -> str | None:
    """Return a text, an empty one if there is none; None if it cannot be determined."""
    if value is None:
        return ""
    return value if isinstance(value, str) else None
