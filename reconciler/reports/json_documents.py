"""Writes every result as one versioned JSON document, in ASCII without control characters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.apply_document import apply_document
from reconciler.core.document_parts import diagnostic_document, to_json_data
from reconciler.core.drift import DriftReport
from reconciler.core.drift_document import drift_document
from reconciler.core.import_document import import_document
from reconciler.core.outcome import ApplyResult
from reconciler.core.pin_document import pin_document
from reconciler.core.plan import Environment, Plan, PlanSummary, Scope
from reconciler.core.plan_document import FORMAT_VERSION
from reconciler.core.plan_serialization import digest, plan_document
from reconciler.core.validation_document import validation_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.document_parts import JsonObject
    from reconciler.core.errors import Diagnostic
    from reconciler.core.import_document import ImportResult
    from reconciler.core.pin_document import PinResult
    from reconciler.core.validation_document import ValidationResult


def plan_json(plan: Plan, *, version: str = __version__) -> str:
    """Return the plan document; written to a file, it is the saved plan."""
    return _json_text(plan_document(plan, version))


def drift_json(report: DriftReport, *, version: str = __version__) -> str:
    """Return the drift document; written to a file, it is what ``--previous`` reads."""
    return _json_text(drift_document(report, version))


def apply_json(result: ApplyResult, *, version: str = __version__) -> str:
    """Return the outcome of each operation."""
    return _json_text(apply_document(result, version))


def validation_json(result: ValidationResult) -> str:
    """Return what is wrong with the manifests."""
    return _json_text(validation_document(result))


def import_json(result: ImportResult) -> str:
    """Return what was imported."""
    return _json_text(import_document(result))


def pin_json(result: PinResult) -> str:
    """Return the missing pins."""
    return _json_text(pin_document(result))


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


def _failure_data(verb: str, diagnostics: tuple[Diagnostic, ...], at: str) -> JsonObject:
    match verb:
        case "plan" | "show":
            plan = _failed_plan(diagnostics, at)
            document: object = replace(plan_document(plan, __version__), target=None)
        case "drift":
            document = replace(drift_document(_failed_report(diagnostics, at), __version__), target=None)
        case "apply":
            document = apply_document(ApplyResult(diagnostics=diagnostics), __version__)
            return _json_object(document) | {"applyable": False}
        case _:
            return _common_keys(diagnostics)
    return _json_object(document)


def _json_object(document: object) -> JsonObject:
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
        "diagnostics": [to_json_data(diagnostic_document(diagnostic)) for diagnostic in diagnostics],
    }
