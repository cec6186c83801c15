"""Writes the manifest of an imported organization, with comments for what it cannot declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.secret import Secret
from reconciler.manifests.document import parse_content
from reconciler.manifests.export_names import Variable, connection_names
from reconciler.manifests.findings import Findings
from reconciler.manifests.organization import OrganizationReader
from reconciler.manifests.organization_model import OrganizationManifest
from reconciler.manifests.source_file import Source
from reconciler.manifests.validation import validate
from reconciler.manifests.yaml_errors import report_unsafe_escapes
from reconciler.manifests.yaml_writer import (
    flow_list,
    indented,
    literal,
    mapping_lines,
    quote_for_comment,
    scalar,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Locator
    from reconciler.core.state import DesiredOrganization, LiveOrganization
    from reconciler.manifests.export_names import VariableNames
    from reconciler.manifests.project import Project
    from reconciler.manifests.yaml_reader import Value

_HEADER: Final = "# Imported by reconciler. Fields that are not declared here are left unchanged."
_NO_SECRETS: Final = "# Secrets are unmanaged. To connect one, set its variable and uncomment client_secret."
_NO_PRUNING: Final = "prune: false  # or the connections listed at the end would be deleted"
_INDENT: Final = "  "
_ANY: Final = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSecret:
    """The live value of a secret that a manifest refers to; None if the API does not show it."""

    locator: Locator
    address: Address
    value: Secret | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenManifest:
    """The text of a manifest. ``remarks`` says which live values it does not declare, and why."""

    text: str
    connections: int
    variables: tuple[Variable, ...]
    secrets: tuple[LiveSecret, ...]
    unmanaged_secrets: int
    remarks: tuple[str, ...]


@dataclass(slots=True)
class ConnectionBlocks:
    """The lines below ``connections:``. ``names`` maps a connection_id to the name of its block."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    secrets: list[LiveSecret] = field(default_factory=list)
    unmanaged_secrets: int = 0
    remarks: list[str] = field(default_factory=list)


def write_manifest(
    live: LiveOrganization, reference: str, variables: VariableNames, *, prunes: bool, schema: str = ""
) -> WrittenManifest:
    """Return the manifest of an organization, pinned to its IDs.

    ``prunes``: by default, connections that are not declared would be deleted. ``schema`` is the path of
    the JSON Schema that editors check the file with.
    """
    default_id = live.organization.default_connection_id
    blocks = write_connections(live.connections, reference, variables, default_id=default_id)
    left_alone = [*_left_alone(live)]
    is_complete = len(blocks.names) == len(live.connections)
    name = live.organization.name
    lines = [
        *([f"# yaml-language-server: $schema={schema}"] if schema else []),
        _HEADER,
        *([f"# organization_name: {quote_for_comment(name)}"] if name else []),
        f"organization: {scalar(reference)}",
        f"organization_id: {scalar(live.organization.organization_id)}",
        *([_NO_SECRETS] if blocks.unmanaged_secrets else []),
        *([_NO_PRUNING] if prunes and not is_complete else []),
        *(["connections:", *indented(blocks.lines)] if blocks.names else ["connections: {}"]),
        *(["# left alone:", *(f"#   {remark}" for remark in left_alone)] if left_alone else []),
    ]
    return WrittenManifest(
        text="\n".join(lines) + "\n",
        connections=len(blocks.names),
        variables=tuple(blocks.variables),
        secrets=tuple(blocks.secrets),
        unmanaged_secrets=blocks.unmanaged_secrets,
        remarks=(*blocks.remarks, *left_alone),
    )


def write_connections(
    connections: Sequence[OidcConnection],
    reference: str,
    variables: VariableNames,
    taken: Mapping[str, str] | None = None,
    *,
    default_id: str = "",
) -> ConnectionBlocks:
    """Return a block for every connection that can be declared, by name.

    ``taken`` are the connections that the manifest already has: name → display_name.
    ``default_id`` is the connection that is declared as the organization's default connection.
    """
    blocks = ConnectionBlocks()
    taken = taken or {}
    to_declare = [connection for connection in connections if why_left_alone(connection) is None]
    names = connection_names(to_declare, {*taken, *taken.values()})
    display_names = set(taken.values())
    for connection in sorted(to_declare, key=lambda connection: names[connection.connection_id or ""]):
        name = names[connection.connection_id or ""]
        is_name_taken = connection.display_name in display_names
        block = _ConnectionBlock(Address(reference, name), variables, is_name_taken=is_name_taken)
        is_default = connection.connection_id == default_id
        lines = [*block.lines(connection), *(["default: true"] if is_default else [])]
        blocks.lines += [f"{scalar(name)}:", *indented(lines)]
        blocks.names[connection.connection_id or ""] = name
        blocks.variables += block.variables
        blocks.secrets += block.secrets
        blocks.unmanaged_secrets += block.leaves_secret
        blocks.remarks += block.remarks
        display_names.add(connection.display_name or "")
    return blocks


def reparse(text: str, project: Project) -> DesiredOrganization | str:
    """Return the one organization that the text of a manifest declares, or why it is not valid."""
    content = text.encode()
    if len(content) > project.read_limits.max_bytes:
        return f"it is larger than {project.read_limits.max_bytes:,} bytes"
    parsed = parse_content(content, "the manifest", project.read_limits)
    reader = OrganizationReader(project, {})
    organizations = [
        reader.read(document, parsed.source, parsed.findings.document(document))
        for document in parsed.documents
    ]
    errors = [diagnostic for diagnostic in parsed.findings.diagnostics if diagnostic.is_error]
    if errors or len(organizations) != 1 or organizations[0] is None:
        return errors[0].summary if errors else "it has more than one document"
    return organizations[0]


def why_undeclarable(field_name: str, value: object) -> str | None:
    """Return why a connection's field cannot be declared with this value, or None if it can."""
    return _why_invalid({"organization": _ANY, "connections": {_ANY: {field_name: _plain(value)}}})


def why_value_undeclarable(name: str, live: OidcConnection) -> str | None:
    """Return why the live value of a field cannot or should not be declared, or None if it can."""
    if getattr(live.masked(), name) != getattr(live, name):
        return "it holds the client_secret; change it where the connection is, and at the provider"
    return why_undeclarable(name, getattr(live, name))


def why_organization_undeclarable(field_name: str, value: str) -> str | None:
    """Return why an organization's field cannot be declared with this value, or None if it can."""
    return _why_invalid({"organization": _ANY, field_name: value})


class _ConnectionBlock:
    """The block of one connection; what a manifest cannot declare becomes a comment."""

    def __init__(self, address: Address, names: VariableNames, *, is_name_taken: bool) -> None:
        self.variables: list[Variable] = []
        self.secrets: list[LiveSecret] = []
        self.remarks: list[str] = []
        self.leaves_secret = False
        self._reference: Locator | None = None
        self._address = address
        self._names = names
        self._is_name_taken = is_name_taken

    def lines(self, live: OidcConnection) -> Iterator[str]:
        is_named = True
        for name in WRITABLE_FIELDS:
            if not _is_set(name, live):
                continue
            if name == "client_secret" and not self._names.template.is_managed:
                yield from self._unmanaged_secret(live)
                continue
            reason = self._reason(name, live)
            if reason is None:
                yield from self._field(name, live)
                continue
            is_named = is_named and name != "display_name"
            self.remarks.append(f"{self._address}: {name} is not declared: {reason}")
            yield f"# {name} is not declared: {reason}"
        yield f"connection_id: {scalar(live.connection_id or '')}"
        if not is_named:
            yield from ("lifecycle:", f"{_INDENT}ignore_changes: [display_name]")

    def _reason(self, name: str, live: OidcConnection) -> str | None:
        """Return why a manifest cannot or should not declare a live value."""
        if name == "client_secret":
            return self._reason_without_secret(live)
        if name == "display_name" and self._is_name_taken:
            quoted = quote_for_comment(live.masked().display_name or "")
            return f"{quoted} is also the name of another connection"
        return why_value_undeclarable(name, live)

    def _reason_without_secret(self, live: OidcConnection) -> str | None:
        secret = live.client_secret
        scheme = self._names.template.scheme
        if scheme == "env" and isinstance(secret, Secret) and not secret.fits_a_variable:
            return "an environment variable cannot hold it"
        locator = self._names.locator_for(self._address)
        if isinstance(locator, str):
            return quote_for_comment(locator)[1:-1]
        self._reference = locator
        return None

    def _unmanaged_secret(self, live: OidcConnection) -> Iterator[str]:
        """Yield the line that would connect the secret, commented out."""
        self.leaves_secret = True
        if self._reason_without_secret(live) is None:
            yield f"# client_secret: {self._reference}"

    def _field(self, name: str, live: OidcConnection) -> Iterator[str]:
        if name == "client_secret" and self._reference is not None:
            value = live.client_secret if isinstance(live.client_secret, Secret) else None
            if self._reference.scheme == "env":
                self.variables.append(Variable(self._reference.path, self._address))
            self.secrets.append(
                LiveSecret(
                    locator=self._reference, address=self._address, value=None if live.hides_secret else value
                )
            )
            yield f"client_secret: {self._reference}"
        elif name == "custom_scopes":
            yield f"custom_scopes: {flow_list(live.custom_scopes or ())}"
        elif name == "attribute_mapping":
            yield "attribute_mapping:"
            yield from indented([*mapping_lines(live.attribute_mapping or {})])
        else:
            yield f"{name}: {literal(getattr(live, name))}"


def _left_alone(live: LiveOrganization) -> Iterator[str]:
    for connection in live.connections:
        reason = why_left_alone(connection)
        if reason is not None:
            name = quote_for_comment(connection.masked().display_name or "")
            yield f"{name} ({_plain_id(connection.connection_id or '')}): {reason}"
    for other in live.other_connections:
        kind = quote_for_comment(other.kind).strip('"')
        name = quote_for_comment(other.display_name)
        yield f"{name} ({_plain_id(other.connection_id)}): {kind}, never touched"


def why_left_alone(connection: OidcConnection) -> str | None:
    """Return why a connection cannot or should not be declared at all."""
    if connection.is_unconfigured:
        return "pending and never configured"
    reason = why_undeclarable("connection_id", connection.connection_id)
    return f"its ID cannot be pinned: {reason}" if reason else None


def _why_invalid(document: Value) -> str | None:
    """Return the first error of a document, escaped for a comment."""
    findings = Findings(Source("", ""))
    document_findings = findings.document(None)
    report_unsafe_escapes(document, (), document_findings)
    if not findings.has_errors:
        validate(OrganizationManifest, document, document_findings)
    if not findings.has_errors:
        return None
    return quote_for_comment(findings.diagnostics[0].summary)[1:-1]


def _plain(value: object) -> Value:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _plain_id(text: str) -> str:
    return quote_for_comment(text).strip('"')


def _is_set(name: str, live: OidcConnection) -> bool:
    """Whether a manifest has to mention the field; a hidden secret is there all the same."""
    value = getattr(live, name)
    if isinstance(value, Secret):
        return not value.is_empty or live.hides_secret
    return bool(value) or name == "display_name"
