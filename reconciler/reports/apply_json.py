"""What an apply did, as one versioned JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, assert_never

from reconciler import __version__
from reconciler.core.change import RESOURCE_TYPE
from reconciler.core.outcome import Applied, Failed, Skipped, Unneeded
from reconciler.core.plan_document import diagnostic_document

if TYPE_CHECKING:
    from reconciler.core.connection import OidcConnection
    from reconciler.core.outcome import ApplyResult, Outcome

FORMAT_VERSION: Final = "1.0"

Document = dict[str, Any]


def result_json(result: ApplyResult, *, color: bool = False, version: str = __version__) -> str:
    """Return the document as ASCII text: no byte of it can mean anything to a terminal."""
    del color  # JSON has none; every format takes the same arguments
    return json.dumps(result_document(result, version), indent=2, ensure_ascii=True) + "\n"


def result_document(result: ApplyResult, version: str) -> Document:
    """Return the result as JSON-ready data; ``version`` is that of the program which writes."""
    return {
        "format_version": FORMAT_VERSION,
        "reconciler_version": version,
        "complete": result.is_complete and not result.interrupted,
        "errored": bool(result.failed) or any(found.is_error for found in result.diagnostics),
        "interrupted": result.interrupted,
        "summary": {
            "added": result.added,
            "changed": result.changed,
            "destroyed": result.destroyed,
            "unneeded": len(result.unneeded),
            "failed": len(result.failed),
            "skipped": len(result.skipped),
        },
        "outcomes": [_outcome(one) for one in result.outcomes],
        "diagnostics": [diagnostic_document(found) for found in result.diagnostics],
    }


def _outcome(outcome: Outcome) -> Document:
    document: Document = {
        "address": str(outcome.address),
        "type": RESOURCE_TYPE,
        "name": outcome.address.connection,
        "organization": outcome.address.organization,
        "organization_id": outcome.organization_id,
        "action": outcome.action.value,
    }
    match outcome:
        case Applied():
            return document | _applied(outcome)
        case Unneeded():
            return document | {"status": "unneeded"} | _identity(outcome.connection)
        case Failed():
            return document | _failed(outcome)
        case Skipped():
            return document | {"status": "skipped", "reason": outcome.reason}
        case _:
            assert_never(outcome)


def _applied(outcome: Applied) -> Document:
    return {
        "status": "applied",
        **_identity(outcome.connection),
        "warnings": list(outcome.warnings),
        "receipt": "; ".join(outcome.history),
        "seconds": round(outcome.seconds, 3),
    }


def _identity(connection: OidcConnection | None) -> Document:
    if connection is None:
        return {}
    return {
        "connection_id": connection.connection_id,
        "redirect_url": connection.redirect_url,
        "connection_status": connection.status,
    }


def _failed(outcome: Failed) -> Document:
    return {
        "status": "failed",
        "receipt": "; ".join(outcome.history),
        "error": {
            "message": outcome.message,
            "advice": outcome.advice,
            "error_type": outcome.error_type,
            "request_id": outcome.request_id,
            "http_status": outcome.status,
        },
    }
