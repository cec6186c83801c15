"""Writes every result as one versioned JSON document, in ASCII without control characters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from reconciler import __version__
from reconciler.core.change import DEFAULT_TYPE, RESOURCE_TYPE
from reconciler.core.document_parts import diagnostic_document, to_json_data
from reconciler.core.drift import DriftReport
from reconciler.core.drift_document import drift_document
from reconciler.core.outcome import Applied, ApplyResult, Failed, Skipped, Unneeded
from reconciler.core.plan import Environment, Plan, PlanSummary, Scope
from reconciler.core.plan_document import FORMAT_VERSION
from reconciler.core.plan_serialization import digest, plan_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.document_parts import DiagnosticDocument, JsonObject
    from reconciler.core.errors import Diagnostic
    from reconciler.core.outcome import Outcome
    from reconciler.core.results import ImportedFile, ImportResult, MissingPin, PinResult, ValidationResult

RESULT_VERSION: Final = "1.0"
"""The format_version of the documents that reconciler never reads: apply, validate, import, pin."""


def plan_json(plan: Plan, *, version: str = __version__) -> str:
    """Return the plan document; written to a file, it is the saved plan."""
    return _json_text(plan_document(plan, version))


def drift_json(report: DriftReport, *, version: str = __version__) -> str:
    """Return the drift document; written to a file, it is what ``--previous`` reads."""
    return _json_text(drift_document(report, version))


def apply_json(result: ApplyResult, *, version: str = __version__) -> str:
    """Return the outcome of each operation."""
    return _json_text(_apply_data(result, version))


def validation_json(result: ValidationResult) -> str:
    """Return what is wrong with the manifests, in the shape of Terraform's ``validate -json``."""
    return _json_text(
        {
            "format_version": RESULT_VERSION,
            "valid": result.is_valid,
            "error_count": result.error_count,
            "warning_count": result.warning_count,
            "files": result.files,
            "organizations": result.organizations,
            "connections": result.connections,
            "diagnostics": _diagnostics(result.diagnostics),
        }
    )


def import_json(result: ImportResult) -> str:
    """Return what was imported."""
    return _json_text(
        {
            "format_version": RESULT_VERSION,
            "complete": not result.failures,
            "errored": bool(result.failures),
            "summary": {
                "imported": len(result.created),
                "updated": len(result.updated),
                "kept": len(result.kept),
                "failed": result.failures,
                "connections": sum(file.connections for file in result.created),
            },
            "organizations": [_imported_file(file) for file in result.files],
            "variables": result.variables,
            "variables_file": result.variables_file,
            "unmanaged_secrets": result.unmanaged_secrets,
            "diagnostics": _diagnostics(result.diagnostics),
        }
    )


def pin_json(result: PinResult) -> str:
    """Return the missing pins."""
    return _json_text(
        {
            "format_version": RESULT_VERSION,
            "complete": not result.has_errors,
            "errored": result.has_errors,
            "check": result.is_check,
            "settled": result.is_settled,
            "summary": {"connections": result.connections, "organizations": result.organizations},
            "pins": [_missing_pin(pin) for pin in result.pins],
            "maps": [_missing_pin(pin) for pin in result.maps],
            "not_live": result.not_live,
            "diagnostics": _diagnostics(result.diagnostics),
        }
    )


def failure_json(
    diagnostics: Sequence[Diagnostic], *, verb: str = "", at: str = "", interrupted: bool = False
) -> str:
    """Return the document of a run that ended before there was a result of its verb.

    It has every key of that verb's own document, so that its readers understand it: errored, not
    complete, and why. ``at`` is when the run ended, RFC 3339 in UTC.
    """
    data = _failure_data(verb, tuple(diagnostics), at) | {
        "complete": False,
        "errored": True,
        "interrupted": interrupted,
        "error_count": sum(diagnostic.is_error for diagnostic in diagnostics),
        "warning_count": sum(not diagnostic.is_error for diagnostic in diagnostics),
    }
    if "digest" in data:
        data["digest"] = digest(data)
    return _json_text(data)


def _json_text(document: object) -> str:
    return json.dumps(to_json_data(document), indent=2, ensure_ascii=True) + "\n"


def _diagnostics(diagnostics: Iterable[Diagnostic]) -> list[DiagnosticDocument]:
    return [diagnostic_document(diagnostic) for diagnostic in diagnostics]


def _imported_file(file: ImportedFile) -> JsonObject:
    return {
        "organization": file.organization,
        "organization_id": file.organization_id,
        "filename": file.path,
        "status": file.status,
        "connections": file.connections,
        "remarks": file.remarks,
        "suggestion": "".join(f"{line}\n" for line in file.suggestion),
        "updates": [{"address": update.address, "attribute": update.attribute} for update in file.updates],
        "added": file.added,
    }


def _missing_pin(pin: MissingPin) -> JsonObject:
    return {
        "address": pin.address,
        "kind": "organization" if pin.is_organization else "connection",
        "id": pin.id,
        "filename": pin.location.path,
        "line": pin.location.line,
        "column": pin.location.column,
    }


def _apply_data(result: ApplyResult, version: str) -> JsonObject:
    return {
        "format_version": RESULT_VERSION,
        "reconciler_version": version,
        "complete": result.is_complete and not result.interrupted,
        "errored": bool(result.failed) or any(diagnostic.is_error for diagnostic in result.diagnostics),
        "interrupted": result.interrupted,
        "summary": {
            "added": result.added,
            "changed": result.changed,
            "destroyed": result.destroyed,
            "unneeded": len(result.unneeded),
            "failed": len(result.failed),
            "skipped": len(result.skipped),
        },
        "outcomes": [_outcome(outcome) for outcome in result.outcomes],
        "diagnostics": _diagnostics(result.diagnostics),
    }


def _outcome(outcome: Outcome) -> JsonObject:
    return {
        "address": str(outcome.address),
        "type": DEFAULT_TYPE if outcome.address.is_organization else RESOURCE_TYPE,
        "name": outcome.address.connection,
        "organization": outcome.address.organization,
        "organization_id": outcome.organization_id,
        "action": outcome.action,
        **_what_happened(outcome),
    }


def _what_happened(outcome: Outcome) -> JsonObject:
    match outcome:
        case Applied():
            return {
                "status": "applied",
                **_identity(outcome.connection),
                "warnings": outcome.warnings,
                "history": "; ".join(outcome.history),
                "seconds": round(outcome.seconds, 3),
            }
        case Unneeded():
            identity = _identity(outcome.connection) if outcome.connection else {}
            known = {name: value for name, value in identity.items() if value is not None}
            history = {"history": "; ".join(outcome.history)} if outcome.history else {}
            return {"status": "unneeded", **known, **history}
        case Failed():
            return {"status": "failed", "history": "; ".join(outcome.history), "error": _error(outcome)}
        case Skipped():
            return {"status": "skipped", "reason": outcome.reason}
        case _:
            assert_never(outcome)


def _identity(connection: OidcConnection) -> JsonObject:
    return {
        "connection_id": connection.connection_id,
        "redirect_url": connection.redirect_url,
        "connection_status": connection.status,
    }


def _error(outcome: Failed) -> JsonObject:
    """Return why an operation failed; ``http_status`` is 0 if there was none."""
    return {
        "message": outcome.message,
        "advice": outcome.advice,
        "error_type": outcome.error_type,
        "request_id": outcome.request_id,
        "http_status": outcome.status,
    }


def _failure_data(verb: str, diagnostics: tuple[Diagnostic, ...], at: str) -> JsonObject:
    match verb:
        case "plan" | "show":
            plan = _failed_plan(diagnostics, at)
            document: object = replace(plan_document(plan, __version__), target=None)
        case "drift":
            document = replace(drift_document(_failed_report(diagnostics, at), __version__), target=None)
        case "apply":
            document = _apply_data(ApplyResult(diagnostics=diagnostics), __version__) | {"applyable": False}
        case _:
            document = _common_keys(diagnostics)
    data: JsonObject = to_json_data(document)
    return data


def _failed_plan(diagnostics: tuple[Diagnostic, ...], at: str) -> Plan:
    return Plan(
        scope=_UNKNOWN_SCOPE,
        created_at=at,
        diagnostics=diagnostics,
        summary=PlanSummary(warnings=sum(not diagnostic.is_error for diagnostic in diagnostics)),
        secrets_compared=False,
    )


def _failed_report(diagnostics: tuple[Diagnostic, ...], at: str) -> DriftReport:
    return DriftReport(scope=_UNKNOWN_SCOPE, created_at=at, diagnostics=diagnostics, secrets_compared=False)


_UNKNOWN_SCOPE = Scope("", "", Environment.TEST)
"""Replaced by null: the target may be what could not be read."""


def _common_keys(diagnostics: tuple[Diagnostic, ...]) -> JsonObject:
    """Return what the documents of all other verbs have in common."""
    return {
        "format_version": FORMAT_VERSION,
        "reconciler_version": __version__,
        "applyable": False,
        "valid": False,
        "resource_changes": [],
        "outcomes": [],
        "findings": [],
        "diagnostics": _diagnostics(diagnostics),
    }
