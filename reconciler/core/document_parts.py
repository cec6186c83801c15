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


def described(description: str) -> JsonObject:
    """Return the metadata of a field with a description in the JSON Schema."""
    return {"description": description}


ATTRIBUTES: Final[Mapping[str, JsonObject]] = {
    "display_name": described("the name people see"),
    "identity_provider": described("the product behind the connection, such as okta"),
    "issuer": described("URL of the identity provider's issuer"),
    "client_id": described("ID of the client at the identity provider"),
    "authorization_url": described("URL of the authorization endpoint"),
    "token_url": described("URL of the token endpoint"),
    "userinfo_url": described("URL of the userinfo endpoint"),
    "jwks_url": described("URL of the signing keys"),
    "custom_scopes": described("scopes requested at login") | {"json_schema_extra": {"uniqueItems": True}},
    "attribute_mapping": described("member attribute to claim of the identity provider"),
    "client_secret": described("always null"),
    "connection_id": described("ID of the connection"),
    "redirect_url": described("URL to register at the identity provider"),
    "status": described("active, or pending: nobody can log in yet"),
}
"""What the attributes of a connection are, wherever a document has them."""


def flag(description: str) -> JsonObject:
    """Return the metadata of a boolean field, which accepts nothing but JSON's true and false."""
    return {"strict": True, "description": description}


def pattern(expression: str) -> JsonObject:
    """Return the metadata of a field with a pattern in the JSON Schema, which readers do not check."""
    return {"json_schema_extra": {"pattern": expression}}


VERSION_1: Final = pattern(r"^1\.[0-9]+$") | described("version of this format, MAJOR.MINOR")
RECONCILER: Final = described("version of the reconciler that wrote the document")
DIAGNOSTICS: Final = described("errors and warnings")
ADDRESS: Final = described("organization/connection")
ANY_ADDRESS: Final = described("organization/connection, or the organization")
HISTORY: Final = described("what happened on the way, if more than one attempt was needed; may be empty")
COMMIT: Final = described("Git revision of the manifests, empty if not known")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetDocument:
    """What a run is for."""

    base_url: str = field(metadata=described("URL of the API, without a slash at its end"))
    principal: str = field(metadata=described("the project_id; with a session, the public token"))
    environment: Environment = field(metadata=described("the environment of the project"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionDocument:
    """A position in a file. Lines and columns count from 1, bytes from 0."""

    line: int = field(metadata=FROM_ONE | described("line, from 1"))
    column: int = field(metadata=FROM_ONE | described("character in the line, from 1"))
    byte: int = field(metadata=COUNT | described("byte in the file, from 0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeDocument:
    """A stretch of a file."""

    filename: str = field(metadata=described("path, as the user would type it"))
    start: PositionDocument = field(metadata=described("where it begins"))
    end: PositionDocument = field(metadata=described("where it ends, not included"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SnippetDocument:
    """The line that a diagnostic is about; offsets count characters of ``code`` from 0."""

    context: None = field(metadata=described("always null"))
    code: str = field(metadata=described("the line, with what may be a secret masked"))
    start_line: int = field(metadata=FROM_ONE | described("number of the line, from 1"))
    highlight_start_offset: int = field(
        metadata=COUNT | described("where the finding begins, in characters from 0")
    )
    highlight_end_offset: int = field(
        metadata=COUNT | described("where the finding ends, in characters from 0, not included")
    )
    values: tuple[()] = field(metadata=described("always empty"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticDocument:
    """A finding in the shape of Terraform's ``validate -json``, with code and address."""

    severity: Severity = field(metadata=described("error, warning or info"))
    code: str = field(
        metadata=described("name of the kind of finding; `reconciler explain CODE` explains it")
    )
    summary: str = field(metadata=described("what is wrong, in one line"))
    detail: str = field(metadata=described("more about it; may be empty"))
    hint: str = field(default="", metadata=described("what to do"))
    address: str = field(default="", metadata=described("the connection or organization that it is about"))
    range: RangeDocument | None = field(
        default=None, metadata=described("the place in a file that it is about")
    )
    snippet: SnippetDocument | None = field(default=None, metadata=described("the line that it is about"))
    fingerprint: str = field(default="", metadata=described("of a risk, by which an approval can name it"))
    missing_secret: MissingSecret | None = field(
        default=None, metadata=described("the reference without a value, and the addresses that need it")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDocument:
    """The place in a manifest that declares a connection."""

    filename: str = field(metadata=described("path of the manifest, as the user would type it"))
    line: int = field(metadata=FROM_ONE | described("line of the block, from 1"))
    column: int = field(metadata=FROM_ONE | described("character in the line, from 1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionDocument:
    """What is known of a connection, without its secret."""

    display_name: str | None = field(default=None, metadata=ATTRIBUTES["display_name"])
    identity_provider: str | None = field(default=None, metadata=ATTRIBUTES["identity_provider"])
    issuer: str | None = field(default=None, metadata=ATTRIBUTES["issuer"])
    client_id: str | None = field(default=None, metadata=ATTRIBUTES["client_id"])
    authorization_url: str | None = field(default=None, metadata=ATTRIBUTES["authorization_url"])
    token_url: str | None = field(default=None, metadata=ATTRIBUTES["token_url"])
    userinfo_url: str | None = field(default=None, metadata=ATTRIBUTES["userinfo_url"])
    jwks_url: str | None = field(default=None, metadata=ATTRIBUTES["jwks_url"])
    custom_scopes: tuple[str, ...] | None = field(default=None, metadata=ATTRIBUTES["custom_scopes"])
    attribute_mapping: Mapping[str, Any] | None = field(
        default=None, metadata=ATTRIBUTES["attribute_mapping"]
    )
    connection_id: str | None = field(default=None, metadata=ATTRIBUTES["connection_id"])
    redirect_url: str | None = field(default=None, metadata=ATTRIBUTES["redirect_url"])
    status: str | None = field(default=None, metadata=ATTRIBUTES["status"])


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedDocument:
    """A live connection that no manifest declares."""

    organization: str = field(metadata=described("the organization, as its manifest names it"))
    connection: ConnectionDocument = field(metadata=described("what is known of it"))


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
