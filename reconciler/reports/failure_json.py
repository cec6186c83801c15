"""The JSON document of a run that ended before there was a plan, a report or a result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reconciler import __version__
from reconciler.core import drift_document, plan_document
from reconciler.core.drift import DriftReport
from reconciler.core.outcome import ApplyResult
from reconciler.core.plan import Environment, Plan, PlanSummary, Scope
from reconciler.reports.apply_json import result_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan_document import Document

_UNKNOWN: Final = Scope("", "", Environment.TEST)
"""Stands where the document then says null: whom the run was for may be what could not be read."""


def failure_json(
    diagnostics: Sequence[Diagnostic], *, verb: str = "", at: str = "", interrupted: bool = False
) -> str:
    """Return a document that readers of that verb's JSON understand: errored, not complete, and why.

    It has every key that the verb's own document has. ``at`` is when the run ended, RFC 3339 in UTC.
    """
    found = tuple(diagnostics)
    document = _shape(verb, found, at) | {
        "complete": False,
        "errored": True,
        "interrupted": interrupted,
        "error_count": sum(one.is_error for one in found),
        "warning_count": sum(not one.is_error for one in found),
    }
    if "digest" in document:
        document["digest"] = plan_document.digest(
            {key: value for key, value in document.items() if key != "digest"}
        )
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _shape(verb: str, diagnostics: tuple[Diagnostic, ...], at: str) -> Document:
    match verb:
        case "plan" | "show":
            return _no_plan(diagnostics, at)
        case "drift":
            return _no_report(diagnostics, at)
        case "apply":
            return result_document(ApplyResult(diagnostics=diagnostics), __version__) | {"applyable": False}
        case _:
            return _nothing(diagnostics)


def _no_plan(diagnostics: tuple[Diagnostic, ...], at: str) -> Document:
    plan = Plan(
        scope=_UNKNOWN,
        created_at=at,
        diagnostics=diagnostics,
        summary=PlanSummary(warnings=sum(not one.is_error for one in diagnostics)),
        secrets_compared=False,
    )
    return plan_document.to_document(plan, __version__) | {"target": None}


def _no_report(diagnostics: tuple[Diagnostic, ...], at: str) -> Document:
    report = DriftReport(scope=_UNKNOWN, created_at=at, diagnostics=diagnostics, secrets_compared=False)
    return drift_document.to_document(report, __version__) | {"target": None}


def _nothing(diagnostics: tuple[Diagnostic, ...]) -> Document:
    """Return what the documents of all other verbs have in common."""
    return {
        "format_version": plan_document.FORMAT_VERSION,
        "reconciler_version": __version__,
        "applyable": False,
        "valid": False,
        "resource_changes": [],
        "outcomes": [],
        "findings": [],
        "diagnostics": [plan_document.diagnostic_document(one) for one in diagnostics],
    }
