"""Writes every result as one versioned JSON document, in ASCII without control characters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler import __version__
from reconciler.core.apply_document import apply_document, pin_document
from reconciler.core.document_parts import TargetDocument, copy_fields, diagnostic_document, to_json_data
from reconciler.core.drift import DriftReport
from reconciler.core.drift_document import drift_document
from reconciler.core.inventory import Inventory
from reconciler.core.outcome import ApplyResult
from reconciler.core.plan import Environment, Plan, PlanSummary, Scope
from reconciler.core.plan_serialization import digest, plan_document
from reconciler.core.results import ImportResult, PinResult, ValidationResult
from reconciler.core.verification import Verification
from reconciler.core.verify_document import verify_document
from reconciler.reports.result_documents import (
    RESULT_VERSION,
    ExplanationDocument,
    FailureDocument,
    ImportDocument,
    ImportedOrganizationDocument,
    ImportedValueDocument,
    ImportSummaryDocument,
    ListDocument,
    ListedConnectionDocument,
    MissingSecretDocument,
    NeedingConnectionDocument,
    OutputDocument,
    PinsDocument,
    PinSummaryDocument,
    SecretsCheckDocument,
    ValidationDocument,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.core.document_parts import DiagnosticDocument, JsonObject
    from reconciler.core.drift_document import DriftDocument
    from reconciler.core.errors import Diagnostic
    from reconciler.core.inventory import InventoryItem
    from reconciler.core.plan_document import PlanDocument
    from reconciler.core.results import ImportedFile
    from reconciler.core.verify_document import VerifyDocument
    from reconciler.reports.explanations import Explanation
    from reconciler.secrets.check import MissingSecret, SecretsCheck


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
    return _json_text(_validation_document(result))


def verify_json(result: Verification, *, version: str = __version__) -> str:
    """Return what was asked of identity providers, and what was found."""
    return _json_text(verify_document(result, version))


def import_json(result: ImportResult) -> str:
    """Return what was imported."""
    return _json_text(_import_document(result))


def pin_json(result: PinResult) -> str:
    """Return the missing pins."""
    return _json_text(_pins_document(result))


def inventory_json(inventory: Inventory) -> str:
    """Return the connections that are declared or live."""
    return _json_text(_list_document(inventory))


def output_json(address: str, values: Mapping[str, Any]) -> str:
    """Return values of one connection."""
    return _json_text(OutputDocument(format_version=RESULT_VERSION, address=address, **values))


def secrets_check_json(checked: SecretsCheck) -> str:
    """Return the references that cannot be resolved."""
    return _json_text(_secrets_check_document(checked))


def explanation_json(explanation: Explanation) -> str:
    """Return an explanation."""
    return _json_text(copy_fields(ExplanationDocument, explanation, format_version=RESULT_VERSION))


def failure_json(
    diagnostics: Sequence[Diagnostic],
    *,
    verb: str = "",
    at: str = "",
    scope: Scope | None = None,
    interrupted: bool = False,
) -> str:
    """Return the document of a run that ended before there was a result of its verb.

    It has every key of that verb's own document, so that its readers understand it: errored, not
    complete, and why. ``at`` is when the run ended, RFC 3339 in UTC, ``scope`` the project, if it is known.
    """
    failure = to_json_data(_failure_document(diagnostics, scope, interrupted=interrupted))
    own: JsonObject = to_json_data(_document_of_failure(verb, tuple(diagnostics), at, scope))
    data = own | {key: value for key, value in failure.items() if key not in own or key not in _OWN_KEYS}
    if "digest" in data:
        data["digest"] = digest(data)
    return _json_text(data)


def _json_text(document: object) -> str:
    return json.dumps(to_json_data(document), indent=2, ensure_ascii=True) + "\n"


def _failure_document(
    diagnostics: Sequence[Diagnostic], scope: Scope | None, *, interrupted: bool
) -> FailureDocument:
    """Return the document of a run that failed before there was a result."""
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    return FailureDocument(
        format_version=RESULT_VERSION,
        reconciler_version=__version__,
        complete=False,
        errored=True,
        interrupted=interrupted,
        error_count=errors,
        warning_count=len(diagnostics) - errors,
        diagnostics=_diagnostics(diagnostics),
        attempted_target=copy_fields(TargetDocument, scope) if scope else None,
    )


def _validation_document(result: ValidationResult) -> ValidationDocument:
    """Return the document of a validation."""
    return copy_fields(
        ValidationDocument,
        result,
        format_version=RESULT_VERSION,
        valid=result.is_valid,
        diagnostics=_diagnostics(result.diagnostics),
    )


def _failed_verification(diagnostics: tuple[Diagnostic, ...], at: str) -> VerifyDocument:
    result = Verification(scope=_UNKNOWN_SCOPE, created_at=at, diagnostics=diagnostics)
    return replace(verify_document(result, __version__), target=None, complete=False, errored=True)


def _import_document(result: ImportResult) -> ImportDocument:
    """Return the document of an import."""
    return copy_fields(
        ImportDocument,
        result,
        format_version=RESULT_VERSION,
        complete=not result.failures,
        errored=bool(result.failures),
        summary=ImportSummaryDocument(
            imported=len(result.created),
            updated=len(result.updated),
            kept=len(result.kept),
            failed=result.failures,
            connections=sum(file.connections for file in result.created),
        ),
        organizations=tuple(map(_imported_organization, result.files)),
        diagnostics=_diagnostics(result.diagnostics),
    )


def _pins_document(result: PinResult) -> PinsDocument:
    """Return the document of the missing pins."""
    return PinsDocument(
        format_version=RESULT_VERSION,
        complete=not result.has_errors,
        errored=result.has_errors,
        check=result.is_check,
        settled=result.is_settled,
        summary=copy_fields(PinSummaryDocument, result),
        pins=tuple(map(pin_document, result.pins)),
        maps=tuple(map(pin_document, result.maps)),
        not_live=result.not_live,
        diagnostics=_diagnostics(result.diagnostics),
    )


def _list_document(inventory: Inventory) -> ListDocument:
    """Return the document of an inventory."""
    return ListDocument(
        format_version=RESULT_VERSION,
        complete=not inventory.has_errors,
        errored=inventory.has_errors,
        connections=tuple(map(_listed_connection, inventory.items)),
        diagnostics=_diagnostics(inventory.diagnostics),
    )


def _secrets_check_document(checked: SecretsCheck) -> SecretsCheckDocument:
    """Return the document of a check of secrets."""
    return SecretsCheckDocument(
        format_version=RESULT_VERSION,
        references=checked.references,
        missing=tuple(map(_missing_secret, checked.missing)),
        diagnostics=_diagnostics((*checked.diagnostics, *(secret.finding for secret in checked.missing))),
    )


def _diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[DiagnosticDocument, ...]:
    return tuple(map(diagnostic_document, diagnostics))


def _imported_organization(file: ImportedFile) -> ImportedOrganizationDocument:
    suggestion = "".join(f"{line}\n" for line in file.suggestion)
    updates = tuple(copy_fields(ImportedValueDocument, update) for update in file.updates)
    return copy_fields(
        ImportedOrganizationDocument, file, filename=file.path, suggestion=suggestion, updates=updates
    )


def _listed_connection(item: InventoryItem) -> ListedConnectionDocument:
    return copy_fields(
        ListedConnectionDocument,
        item.connection,
        address=item.address,
        management=item.management,
        default=item.is_default,
        organization_id=item.organization_id,
    )


def _missing_secret(secret: MissingSecret) -> MissingSecretDocument:
    return MissingSecretDocument(
        reference=str(secret.reference),
        reason=secret.reason,
        needed_by=tuple(
            NeedingConnectionDocument(address=address, location=str(location))
            for address, location in secret.needed_by
        ),
    )


_OWN_KEYS = frozenset({"format_version", "reconciler_version", "diagnostics"})
"""The keys of a failure that the document of a verb has in its own form."""


def _document_of_failure(
    verb: str, diagnostics: tuple[Diagnostic, ...], at: str, scope: Scope | None
) -> object:
    """Return the document of a verb without a result; nothing for verbs that have none of their own."""
    documents: Mapping[str, Callable[[], object]] = {
        "plan": lambda: _failed_plan(diagnostics, at),
        "show": lambda: _failed_plan(diagnostics, at),
        "drift": lambda: _failed_report(diagnostics, at),
        "apply": lambda: apply_document(
            ApplyResult(diagnostics=diagnostics, scope=scope, ended_at=at), __version__
        ),
        "verify": lambda: _failed_verification(diagnostics, at),
        "validate": lambda: _validation_document(ValidationResult(diagnostics=diagnostics)),
        "import": lambda: _import_document(ImportResult(diagnostics=diagnostics)),
        "pin": lambda: _pins_document(PinResult(diagnostics=diagnostics)),
        "list": lambda: _list_document(Inventory(diagnostics=diagnostics)),
    }
    return documents.get(verb, dict)()


def _failed_plan(diagnostics: tuple[Diagnostic, ...], at: str) -> PlanDocument:
    plan = Plan(
        scope=_UNKNOWN_SCOPE,
        created_at=at,
        diagnostics=diagnostics,
        summary=PlanSummary(warnings=sum(not diagnostic.is_error for diagnostic in diagnostics)),
        secrets_compared=False,
    )
    return replace(plan_document(plan, __version__), target=None)


def _failed_report(diagnostics: tuple[Diagnostic, ...], at: str) -> DriftDocument:
    report = DriftReport(scope=_UNKNOWN_SCOPE, created_at=at, diagnostics=diagnostics, secrets_compared=False)
    return replace(drift_document(report, __version__), target=None)


_UNKNOWN_SCOPE = Scope("", "", Environment.TEST)
"""Replaced by null: the target may be what could not be read."""
