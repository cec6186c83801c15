"""Parts that several JSON documents share: diagnostics, source locations, connections and targets.

A document is defined once, as dataclasses: they are written as JSON, read and validated with pydantic
at the edge, and described by a JSON Schema. A field without a default is always written; a field
with a default is left out while it has that value.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from reconciler.core.connection import OidcConnection
from reconciler.core.errors import Diagnostic, MissingSecret, Severity, Snippet, SourceLocation
from reconciler.core.plan import Environment, Unmanaged

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

JsonObject = dict[str, Any]

Target = TypeVar("Target", bound="DataclassInstance")

COUNT: Final = {"strict": True, "ge": 0}
FROM_ONE: Final = {"strict": True, "ge": 1}
SCOPES: Final = {"json_schema_extra": {"uniqueItems": True}}
MAPPING: Final = {"description": "attribute name to claim name"}


def described(description: str) -> JsonObject:
    """Return the metadata of a field with a description in the JSON Schema."""
    return {"description": description}


def flag(description: str) -> JsonObject:
    """Return the metadata of a boolean field, which accepts nothing but JSON's true and false."""
    return {"strict": True, "description": description}


def pattern(expression: str) -> JsonObject:
    """Return the metadata of a field with a pattern in the JSON Schema, which readers do not check."""
    return {"json_schema_extra": {"pattern": expression}}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDocument:
    """What a run is for."""

    base_url: str
    principal: str
    environment: Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionDocument:
    """A position in a file. Lines and columns count from 1, bytes from 0."""

    line: int = field(metadata=FROM_ONE)
    column: int = field(metadata=FROM_ONE)
    byte: int = field(metadata=COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeDocument:
    """A stretch of a file."""

    filename: str
    start: PositionDocument
    end: PositionDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class SnippetDocument:
    """The line that a diagnostic is about; offsets count characters of ``code`` from 0."""

    context: None
    code: str
    start_line: int = field(metadata=FROM_ONE)
    highlight_start_offset: int = field(metadata=COUNT)
    highlight_end_offset: int = field(metadata=COUNT)
    values: tuple[()]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticDocument:
    """A finding in the shape of Terraform's ``validate -json``, with code and address."""

    severity: Severity
    code: str
    summary: str
    detail: str
    hint: str = ""
    address: str = ""
    range: RangeDocument | None = None
    snippet: SnippetDocument | None = None
    fingerprint: str = field(default="", metadata=described("of a risk, by which an approval can name it"))
    missing_secret: MissingSecret | None = field(
        default=None, metadata=described("the reference without a value, and the addresses that need it")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDocument:
    """The place in a manifest that declares a connection."""

    filename: str
    line: int = field(metadata=FROM_ONE)
    column: int = field(metadata=FROM_ONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDocument:
    """What is known of a connection, without its secret."""

    display_name: str | None = None
    identity_provider: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    authorization_url: str | None = None
    token_url: str | None = None
    userinfo_url: str | None = None
    jwks_url: str | None = None
    custom_scopes: tuple[str, ...] | None = field(default=None, metadata=SCOPES)
    attribute_mapping: Mapping[str, Any] | None = field(default=None, metadata=MAPPING)
    connection_id: str | None = None
    redirect_url: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedDocument:
    """A live connection that no manifest declares."""

    organization: str
    connection: ConnectionDocument


def to_json_data(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a document, or a part of one, in JSON's types."""
    if is_dataclass(value):
        values = ((part, getattr(value, part.name)) for part in fields(value))
        return {
            part.name: to_json_data(content)
            for part, content in values
            if part.default is MISSING or content != part.default
        }
    if isinstance(value, Mapping):
        return {key: to_json_data(content) for key, content in value.items()}
    if isinstance(value, tuple | list):
        return [to_json_data(content) for content in value]
    return value.value if isinstance(value, Enum) else value


def copy_fields(target: type[Target], source: object, /, **others: Any) -> Target:  # noqa: ANN401 - any field
    """Return a ``target`` with the fields of the same names of a value, except for ``others``."""
    names = (part.name for part in fields(target) if part.name not in others)
    return target(**{name: getattr(source, name) for name in names}, **others)


def diagnostic_document(diagnostic: Diagnostic) -> DiagnosticDocument:
    """Return the document of a diagnostic."""
    location, snippet = diagnostic.location, diagnostic.snippet
    return copy_fields(
        DiagnosticDocument,
        diagnostic,
        range=_range_document(location, snippet) if location else None,
        snippet=_snippet_document(location, snippet) if location and snippet else None,
    )


def read_diagnostic(document: DiagnosticDocument) -> Diagnostic:
    """Return the diagnostic in a document.

    Raises:
        ValueError: its snippet marks what is outside the line.
    """
    return copy_fields(
        Diagnostic,
        document,
        location=_read_range(document.range) if document.range else None,
        snippet=_read_snippet(document.snippet) if document.snippet else None,
    )


def source_document(location: SourceLocation | None) -> SourceDocument | None:
    """Return the document of a place, if there is one."""
    return copy_fields(SourceDocument, location, filename=location.path) if location else None


def read_source(document: SourceDocument | None) -> SourceLocation | None:
    """Return the place in a document, if there is one."""
    return SourceLocation(document.filename, line=document.line, column=document.column) if document else None


def read_connection(document: object) -> OidcConnection:
    """Return the connection in a document whose fields are a connection's."""
    return copy_fields(OidcConnection, document, client_secret=None)


def unmanaged_document(unmanaged: Unmanaged) -> UnmanagedDocument:
    """Return the document of an unmanaged connection."""
    connection = copy_fields(ConnectionDocument, unmanaged.connection)
    return copy_fields(UnmanagedDocument, unmanaged, connection=connection)


def read_unmanaged(document: UnmanagedDocument) -> Unmanaged:
    """Return the unmanaged connection in a document."""
    connection = read_connection(document.connection)
    return Unmanaged(organization=document.organization, connection=connection)


def _range_document(location: SourceLocation, snippet: Snippet | None) -> RangeDocument:
    start = copy_fields(PositionDocument, location)
    marked = snippet.text[snippet.start : snippet.end] if snippet else ""
    end = replace(start, column=start.column + len(marked), byte=start.byte + len(marked.encode()))
    return RangeDocument(filename=location.path, start=start, end=end)


def _snippet_document(location: SourceLocation, snippet: Snippet) -> SnippetDocument:
    return SnippetDocument(
        context=None,
        code=snippet.text,
        start_line=location.line,
        highlight_start_offset=snippet.start,
        highlight_end_offset=snippet.end,
        values=(),
    )


def _read_range(document: RangeDocument) -> SourceLocation:
    start = document.start
    return SourceLocation(document.filename, line=start.line, column=start.column, byte=start.byte)


def _read_snippet(document: SnippetDocument) -> Snippet:
    start, end = document.highlight_start_offset, document.highlight_end_offset
    if not start <= end <= len(document.code):
        raise ValueError("a snippet marks more than its line")
    return Snippet(text=document.code, start=start, end=end)
