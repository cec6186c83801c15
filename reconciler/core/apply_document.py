"""The JSON document of an apply: the outcome of each operation."""

from dataclasses import dataclass
from typing import Any, Final, Literal, assert_never

from reconciler.core.change import RESOURCE_TYPE, Action
from reconciler.core.connection import OidcConnection
from reconciler.core.document_parts import DiagnosticDocument, diagnostic_document
from reconciler.core.outcome import Applied, ApplyResult, Failed, Outcome, Skipped, Unneeded

FORMAT_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDocument:
    """What every outcome says."""

    address: str
    type: Literal["oidc_connection"]
    name: str
    organization: str
    organization_id: str
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedDocument(OutcomeDocument):
    """An operation that took effect."""

    status: Literal["applied"]
    connection_id: str | None
    redirect_url: str | None
    connection_status: str | None
    warnings: tuple[str, ...]
    receipt: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnneededDocument(OutcomeDocument):
    """An operation that was not needed."""

    status: Literal["unneeded"]
    connection_id: str | None = None
    redirect_url: str | None = None
    connection_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDocument:
    """Why an operation failed; ``http_status`` is 0 if there was none."""

    message: str
    advice: str
    error_type: str
    request_id: str
    http_status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDocument(OutcomeDocument):
    """An operation that failed."""

    status: Literal["failed"]
    receipt: str
    error: ErrorDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedDocument(OutcomeDocument):
    """An operation that was not begun."""

    status: Literal["skipped"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySummaryDocument:
    """The number of operations with each outcome."""

    added: int
    changed: int
    destroyed: int
    unneeded: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyDocument:
    """A whole apply, its outcomes in the order of the plan."""

    format_version: str
    reconciler_version: str
    complete: bool
    errored: bool
    interrupted: bool
    summary: ApplySummaryDocument
    outcomes: tuple[AppliedDocument | UnneededDocument | FailedDocument | SkippedDocument, ...]
    diagnostics: tuple[DiagnosticDocument, ...]


def apply_document(result: ApplyResult, version: str) -> ApplyDocument:
    """Return the document of a result; ``version`` is that of the program which writes it."""
    return ApplyDocument(
        format_version=FORMAT_VERSION,
        reconciler_version=version,
        complete=result.is_complete and not result.interrupted,
        errored=bool(result.failed) or any(diagnostic.is_error for diagnostic in result.diagnostics),
        interrupted=result.interrupted,
        summary=ApplySummaryDocument(
            added=result.added,
            changed=result.changed,
            destroyed=result.destroyed,
            unneeded=len(result.unneeded),
            failed=len(result.failed),
            skipped=len(result.skipped),
        ),
        outcomes=tuple(_outcome_document(outcome) for outcome in result.outcomes),
        diagnostics=tuple(diagnostic_document(diagnostic) for diagnostic in result.diagnostics),
    )


def _outcome_document(
    outcome: Outcome,
) -> AppliedDocument | UnneededDocument | FailedDocument | SkippedDocument:
    common = _common(outcome)
    match outcome:
        case Applied():
            return AppliedDocument(
                **common,
                status="applied",
                **_identity(outcome.connection),
                warnings=outcome.warnings,
                receipt="; ".join(outcome.history),
                seconds=round(outcome.seconds, 3),
            )
        case Unneeded():
            identity = _identity(outcome.connection) if outcome.connection else {}
            return UnneededDocument(**common, status="unneeded", **identity)
        case Failed():
            return FailedDocument(
                **common, status="failed", receipt="; ".join(outcome.history), error=_error_document(outcome)
            )
        case Skipped():
            return SkippedDocument(**common, status="skipped", reason=outcome.reason)
        case _:
            assert_never(outcome)


def _common(outcome: Outcome) -> dict[str, Any]:
    return {
        "address": str(outcome.address),
        "type": RESOURCE_TYPE,
        "name": outcome.address.connection,
        "organization": outcome.address.organization,
        "organization_id": outcome.organization_id,
        "action": outcome.action,
    }


def _identity(connection: OidcConnection) -> dict[str, Any]:
    return {
        "connection_id": connection.connection_id,
        "redirect_url": connection.redirect_url,
        "connection_status": connection.status,
    }


def _error_document(outcome: Failed) -> ErrorDocument:
    return ErrorDocument(
        message=outcome.message,
        advice=outcome.advice,
        error_type=outcome.error_type,
        request_id=outcome.request_id,
        http_status=outcome.status,
    )
