"""The result of `pin`, which lists missing ids, and its JSON document."""

from dataclasses import dataclass
from typing import Final, Literal

from reconciler.core.document_parts import DiagnosticDocument, diagnostic_document
from reconciler.core.errors import Diagnostic, SourceLocation

FORMAT_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPin:
    """A declaration without an id. ``address`` is that of a connection or an organization."""

    address: str
    id: str
    location: SourceLocation
    is_organization: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PinResult:
    """All pins that were missing: written, or only found (``is_check``).

    ``not_live`` are connections that do not exist yet, and so have no id.
    """

    pins: tuple[MissingPin, ...] = ()
    not_live: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    is_check: bool = False

    @property
    def organizations(self) -> int:
        """The number of organizations among the pins."""
        return sum(pin.is_organization for pin in self.pins)

    @property
    def connections(self) -> int:
        """The number of connections among the pins."""
        return len(self.pins) - self.organizations

    @property
    def has_errors(self) -> bool:
        """Whether something could not be looked up or written."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def is_settled(self) -> bool:
        """Whether every manifest now holds the ids of everything that is live."""
        return not self.has_errors and not (self.is_check and self.pins)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSummaryDocument:
    """The number of pins."""

    connections: int
    organizations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPinDocument:
    """A declaration without an id, and the id."""

    address: str
    kind: Literal["organization", "connection"]
    id: str
    filename: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDocument:
    """All pins that were missing."""

    format_version: str
    complete: bool
    errored: bool
    check: bool
    settled: bool
    summary: PinSummaryDocument
    pins: tuple[MissingPinDocument, ...]
    not_live: tuple[str, ...]
    diagnostics: tuple[DiagnosticDocument, ...]


def pin_document(result: PinResult) -> PinDocument:
    """Return the document of the pins."""
    return PinDocument(
        format_version=FORMAT_VERSION,
        complete=not result.has_errors,
        errored=result.has_errors,
        check=result.is_check,
        settled=result.is_settled,
        summary=PinSummaryDocument(connections=result.connections, organizations=result.organizations),
        pins=tuple(_missing_pin_document(pin) for pin in result.pins),
        not_live=result.not_live,
        diagnostics=tuple(diagnostic_document(diagnostic) for diagnostic in result.diagnostics),
    )


def _missing_pin_document(pin: MissingPin) -> MissingPinDocument:
    return MissingPinDocument(
        address=pin.address,
        kind="organization" if pin.is_organization else "connection",
        id=pin.id,
        filename=pin.location.path,
        line=pin.location.line,
        column=pin.location.column,
    )
