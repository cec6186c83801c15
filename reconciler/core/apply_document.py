"""The JSON document of an apply: the outcome of each operation, and the pins to be written."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, assert_never

from reconciler.core.address import Address
from reconciler.core.change import DEFAULT_TYPE, RESOURCE_TYPE, Action
from reconciler.core.connection import OidcConnection
from reconciler.core.document_parts import (
    ANY_ADDRESS,
    COUNT,
    DIAGNOSTICS,
    FROM_ONE,
    HISTORY,
    RECONCILER,
    VERSION_1,
    DiagnosticDocument,
    TargetDocument,
    copy_fields,
    described,
    diagnostic_document,
    flag,
    read_diagnostic,
)
from reconciler.core.errors import ReportRefused, SourceLocation
from reconciler.core.outcome import Applied, ApplyResult, Failed, MissingPin, Outcome, Skipped, Unneeded
from reconciler.core.plan import Scope

FORMAT_VERSION: Final = "1.1"
"""The major number changes when an older reader would misunderstand the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDocument:
    """One pin."""

    address: str = field(metadata=ANY_ADDRESS)
    kind: Literal["organization", "connection"] = field(metadata=described("what is pinned"))
    id: str = field(metadata=described("the ID; empty if it does not exist in this environment"))
    filename: str = field(metadata=described("path of the manifest"))
    line: int = field(metadata=FROM_ONE | described("line of the block, from 1"))
    column: int = field(metadata=FROM_ONE | described("character in the line, from 1"))
    other_ids: tuple[str, ...] = field(
        default=(), metadata=described("IDs in other environments: with them, the pin is a map")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySummaryDocument:
    """The number of operations by their outcome."""

    added: int = field(metadata=COUNT | described("connections created"))
    changed: int = field(metadata=COUNT | described("connections updated, and default connections changed"))
    destroyed: int = field(metadata=COUNT | described("connections deleted"))
    unneeded: int = field(metadata=COUNT | described("changes that somebody else had made in the meantime"))
    failed: int = field(metadata=COUNT | described("operations that failed"))
    skipped: int = field(metadata=COUNT | described("operations that were not started"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDocument:
    """What every outcome says about its operation."""

    address: str = field(metadata=ANY_ADDRESS)
    type: Literal["oidc_connection", "organization_default_connection"] = field(
        metadata=described("what was to be changed")
    )
    name: str = field(metadata=described("the connection's name in its manifest"))
    organization: str = field(metadata=described("the organization, as its manifest names it"))
    organization_id: str = field(metadata=described("ID of the organization"))
    action: Action = field(metadata=described("what was to be done"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedDocument(OutcomeDocument):
    """An operation that was carried out."""

    status: Literal["applied"] = field(metadata=described("always `applied`"))
    connection_id: str | None = field(metadata=described("ID of the connection"))
    redirect_url: str | None = field(metadata=described("URL to register at the identity provider"))
    connection_status: str | None = field(metadata=described("active, or pending: nobody can log in yet"))
    warnings: tuple[str, ...] = field(metadata=described("what the service warned about, in its words"))
    history: str = field(metadata=HISTORY)
    seconds: float = field(metadata=described("duration in seconds"))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnneededDocument(OutcomeDocument):
    """An operation whose result was there already."""

    status: Literal["unneeded"] = field(metadata=described("always `unneeded`"))
    connection_id: str | None = field(default=None, metadata=described("ID of the connection"))
    redirect_url: str | None = field(
        default=None, metadata=described("URL to register at the identity provider")
    )
    connection_status: str | None = field(default=None, metadata=described("active or pending"))
    history: str = field(default="", metadata=HISTORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationErrorDocument:
    """Why an operation failed."""

    message: str = field(metadata=described("what the service or the reconciler says"))
    advice: str = field(metadata=described("what to do; may be empty"))
    error_type: str = field(metadata=described("the service's name of the error; may be empty"))
    request_id: str = field(metadata=described("the service's ID of the request; may be empty"))
    http_status: int = field(metadata=COUNT | described("HTTP status; 0 if there was none"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDocument(OutcomeDocument):
    """An operation that failed."""

    status: Literal["failed"] = field(metadata=described("always `failed`"))
    history: str = field(metadata=HISTORY)
    error: OperationErrorDocument = field(metadata=described("why it failed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedDocument(OutcomeDocument):
    """An operation that was not started."""

    status: Literal["skipped"] = field(metadata=described("always `skipped`"))
    reason: str = field(metadata=described("why it was not started"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyDocument:
    """The outcome of each operation."""

    format_version: str = field(metadata=VERSION_1)
    reconciler_version: str = field(metadata=RECONCILER)
    timestamp: str = field(default="", metadata=described("when the run ended, RFC 3339 in UTC"))
    commit: str = field(default="", metadata=described("Git revision of the plan, empty if not known"))
    target: TargetDocument | None = field(
        default=None, metadata=described("what the run was for, if that is known")
    )
    complete: bool = field(metadata=flag("everything that was planned was carried out"))
    errored: bool = field(metadata=flag("an operation failed, or there is an error"))
    interrupted: bool = field(metadata=flag("the run was interrupted, by a signal or a closed terminal"))
    summary: ApplySummaryDocument = field(metadata=described("number of operations by their outcome"))
    outcomes: tuple[AppliedDocument | UnneededDocument | FailedDocument | SkippedDocument, ...] = field(
        metadata=described("one entry for each operation")
    )
    pins: tuple[PinDocument, ...] = field(
        default=(), metadata=described("IDs of what was created, which the manifests lack")
    )
    diagnostics: tuple[DiagnosticDocument, ...] = field(metadata=DIAGNOSTICS)


def apply_document(result: ApplyResult, version: str) -> ApplyDocument:
    """Return the document of an apply; ``version`` is that of the program which writes it."""
    return ApplyDocument(
        format_version=FORMAT_VERSION,
        reconciler_version=version,
        timestamp=result.ended_at,
        commit=result.commit,
        target=copy_fields(TargetDocument, result.scope) if result.scope else None,
        complete=result.is_complete and not result.interrupted,
        errored=bool(result.failed) or any(diagnostic.is_error for diagnostic in result.diagnostics),
        interrupted=result.interrupted,
        summary=apply_summary(result),
        outcomes=tuple(map(_outcome, result.outcomes)),
        pins=tuple(map(pin_document, result.pins)),
        diagnostics=tuple(map(diagnostic_document, result.diagnostics)),
    )


def apply_summary(result: ApplyResult) -> ApplySummaryDocument:
    """Return the number of operations by their outcome."""
    return copy_fields(
        ApplySummaryDocument,
        result,
        unneeded=len(result.unneeded),
        failed=len(result.failed),
        skipped=len(result.skipped),
    )


def pin_document(pin: MissingPin) -> PinDocument:
    """Return the document of a pin."""
    return copy_fields(
        PinDocument,
        pin,
        kind="organization" if pin.is_organization else "connection",
        filename=pin.location.path,
        line=pin.location.line,
        column=pin.location.column,
    )


def check_apply_data(data: object) -> None:
    """Check the version of a document that may be anything.

    Raises:
        ReportRefused: it is not the result of an apply, or has another version.
    """
    if not isinstance(data, dict) or "outcomes" not in data:
        raise ReportRefused("this is not the result of an apply, as `apply --format json` writes it")
    version = data.get("format_version")
    if not isinstance(version, str) or version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise ReportRefused(f"the result has format_version {version!r}, this program reads {FORMAT_VERSION}")


def read_apply(document: ApplyDocument) -> ApplyResult:
    """Return the result in a document; of a connection, it has the ID, redirect_url and status.

    Raises:
        ValueError: its parts contradict each other.
    """
    return ApplyResult(
        outcomes=tuple(map(_read_outcome, document.outcomes)),
        interrupted=document.interrupted,
        diagnostics=tuple(map(read_diagnostic, document.diagnostics)),
        scope=copy_fields(Scope, document.target) if document.target else None,
        ended_at=document.timestamp,
        commit=document.commit,
        pins=tuple(map(_read_pin, document.pins)),
    )


def _outcome(outcome: Outcome) -> AppliedDocument | UnneededDocument | FailedDocument | SkippedDocument:
    common: dict[str, Any] = {
        "address": str(outcome.address),
        "type": DEFAULT_TYPE if outcome.address.is_organization else RESOURCE_TYPE,
        "name": outcome.address.connection,
        "organization": outcome.address.organization,
    }
    match outcome:
        case Applied():
            return copy_fields(
                AppliedDocument,
                outcome,
                **common,
                **_identity(outcome.connection),
                status="applied",
                history="; ".join(outcome.history),
                seconds=round(outcome.seconds, 3),
            )
        case Unneeded():
            identity, history = _identity(outcome.connection), "; ".join(outcome.history)
            return copy_fields(
                UnneededDocument, outcome, **common, **identity, status="unneeded", history=history
            )
        case Failed():
            error = copy_fields(OperationErrorDocument, outcome, http_status=outcome.status)
            history = "; ".join(outcome.history)
            return copy_fields(
                FailedDocument, outcome, **common, status="failed", history=history, error=error
            )
        case Skipped():
            return copy_fields(SkippedDocument, outcome, **common, status="skipped")
        case _:
            assert_never(outcome)


def _identity(connection: OidcConnection | None) -> dict[str, str | None]:
    return {
        "connection_id": connection.connection_id if connection else None,
        "redirect_url": connection.redirect_url if connection else None,
        "connection_status": connection.status if connection else None,
    }


def _read_outcome(document: OutcomeDocument) -> Outcome:
    common: dict[str, Any] = {
        "address": Address(document.organization, document.name),
        "action": document.action,
        "organization_id": document.organization_id,
    }
    match document:
        case AppliedDocument():
            return Applied(
                **common,
                connection=_read_connection(document),
                warnings=document.warnings,
                history=_read_history(document.history),
                seconds=document.seconds,
            )
        case UnneededDocument():
            connection = _read_connection(document) if document.connection_id else None
            return Unneeded(**common, connection=connection, history=_read_history(document.history))
        case FailedDocument():
            history, status = _read_history(document.history), document.error.http_status
            return copy_fields(Failed, document.error, **common, history=history, status=status)
        case SkippedDocument():
            return Skipped(**common, reason=document.reason)
        case _:
            raise ValueError(f"there is no outcome {type(document).__name__}")


def _read_connection(document: AppliedDocument | UnneededDocument) -> OidcConnection:
    return OidcConnection(
        connection_id=document.connection_id,
        redirect_url=document.redirect_url,
        status=document.connection_status,
    )


def _read_history(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _read_pin(document: PinDocument) -> MissingPin:
    return copy_fields(
        MissingPin,
        document,
        location=SourceLocation(document.filename, line=document.line, column=document.column),
        is_organization=document.kind == "organization",
    )
