"""Reads the JSON documents that earlier runs wrote: saved plans and drift reports."""

from __future__ import annotations

import codecs
import json
import os
import stat
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from reconciler.core.apply_document import ApplyDocument, check_apply_data, read_apply
from reconciler.core.change import Create, Update
from reconciler.core.document_parts import DiagnosticDocument, TargetDocument, copy_fields, read_diagnostic
from reconciler.core.drift_document import DriftDocument, check_drift_data, read_drift
from reconciler.core.errors import PlanRefused, ReportOfFailedRun, ReportRefused
from reconciler.core.plan import Scope
from reconciler.core.plan_document import PlanDocument
from reconciler.core.plan_serialization import check_plan_data, digest, read_plan
from reconciler.core.results import FailedRun
from reconciler.core.secret import SecretReference
from reconciler.core.verify_document import VerifyDocument, check_verify_data, read_verification
from reconciler.secrets.references import parse_reference

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.change import Change
    from reconciler.core.drift import DriftReport
    from reconciler.core.errors import Diagnostic
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan
    from reconciler.core.verification import Verification

MAX_BYTES: Final = 256 * 1024 * 1024
"""No document is larger."""

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How PowerShell begins a file that it writes."""

Definition = TypeVar("Definition")


@dataclass(frozen=True, slots=True, kw_only=True)
class _FailedRunDocument:
    """What the documents of a failed run and of a validation have in common."""

    diagnostics: tuple[DiagnosticDocument, ...]
    timestamp: str = ""
    attempted_target: TargetDocument | None = None


class UnreadableDocument(Exception):
    """The file cannot be read, or is not what it should be; the text says why, without the path."""


class _DuplicateKey(ValueError):
    """An object in a JSON document has a key twice."""


def load_plan(path: Path) -> Plan:
    """Read a saved plan.

    Raises:
        PlanRefused: it cannot be read, is not a plan, has another version, or was changed.
    """
    try:
        return parse_plan(_load_json(path, "plan file"))
    except RecursionError as error:
        raise PlanRefused(f"{path}: this is not a plan file: it is nested too deeply") from error
    except (UnreadableDocument, PlanRefused) as error:
        raise PlanRefused(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _SecretsCheckDocument:
    """What is read of a check of secrets."""

    references: int
    diagnostics: tuple[DiagnosticDocument, ...]


def load_review(path: Path) -> Plan | FailedRun:
    """Read what a pull request would do: a saved plan, or why its run or validation has none.

    Raises:
        PlanRefused: it cannot be read, is neither, has another version, or was changed.
    """
    try:
        data = _load_json(path, "plan file")
        failed = _failed_run(data)
        return failed or parse_plan(data)
    except RecursionError as error:
        raise PlanRefused(f"{path}: this is not a plan file: it is nested too deeply") from error
    except (UnreadableDocument, PlanRefused) as error:
        raise PlanRefused(f"{path}: {error}") from error
    except ValidationError as error:
        raise PlanRefused(f"{path}: the plan file is not valid: {_problem(error)}: plan again") from error


def load_drift_report(path: Path) -> DriftReport:
    """Read a report that an earlier run wrote.

    Raises:
        ReportRefused: it cannot be read, is not a drift report, or has another version.
        ReportOfFailedRun: its run failed.
    """
    try:
        return parse_drift_report(_load_json(path, "drift report"))
    except ReportOfFailedRun as error:
        raise ReportOfFailedRun(f"{path}: {error}") from error
    except (UnreadableDocument, ReportRefused) as error:
        raise ReportRefused(f"{path}: {error}") from error


def load_verification(path: Path) -> Verification:
    """Read a report that an earlier run of verify wrote.

    Raises:
        ReportRefused: it cannot be read, is not such a report, or has another version.
        ReportOfFailedRun: its run failed.
    """
    try:
        data = _load_json(path, "report of verify")
        check_verify_data(data)
        return read_verification(_adapter(VerifyDocument).validate_python(data))
    except ReportOfFailedRun as error:
        raise ReportOfFailedRun(f"{path}: {error}") from error
    except (UnreadableDocument, ReportRefused) as error:
        raise ReportRefused(f"{path}: {error}") from error
    except ValueError as error:
        raise ReportRefused(f"{path}: the report of verify is not valid: {_problem(error)}") from error


def parse_plan(data: Any) -> Plan:  # noqa: ANN401 - JSON
    """Return the plan in a document.

    Raises:
        PlanRefused: it is not a plan, has another version, was changed later, or is invalid.
    """
    check_plan_data(data)
    try:
        plan = read_plan(_adapter(PlanDocument).validate_python(data))
        for change in plan.changes:
            _check_reference(change)
    except ValueError as error:
        raise PlanRefused(f"the plan file is not valid: {_problem(error)}: plan again") from error
    return plan


def _failed_run(data: object) -> FailedRun | None:
    """Return the run that failed before there was a plan, or a validation; None for anything else."""
    if not isinstance(data, dict) or not ({"error_count", "valid"} & data.keys()):
        return None
    if data.get("digest", "") not in {"", digest(data)}:
        raise PlanRefused("the file was changed after it was written: plan again")
    document = _adapter(_FailedRunDocument).validate_python(data)
    return FailedRun(
        diagnostics=tuple(map(read_diagnostic, document.diagnostics)),
        created_at=document.timestamp,
        scope=copy_fields(Scope, document.attempted_target) if document.attempted_target else None,
        is_validation="valid" in data,
    )


def _check_reference(change: Change) -> None:
    """Refuse a secret reference whose text, which is shown, says something else than its parts."""
    reference = change.declared.client_secret if isinstance(change, Create | Update) else None
    if isinstance(reference, SecretReference) and parse_reference(reference.text) != reference:
        raise ValueError(f"the text and the parts of the secret reference of {change.address} differ")


def parse_drift_report(data: Any) -> DriftReport:  # noqa: ANN401 - JSON
    """Return the report in a document.

    Raises:
        ReportRefused: it is not a drift report, has another version, or is invalid.
    """
    check_drift_data(data)
    try:
        return read_drift(_adapter(DriftDocument).validate_python(data))
    except ValueError as error:
        raise ReportRefused(f"the drift report is not valid: {_problem(error)}") from error


def load_apply_result(path: Path) -> ApplyResult:
    """Read the result of an apply, also of one that failed.

    Raises:
        ReportRefused: it cannot be read, is not such a result, or has another version.
    """
    try:
        data = _load_json(path, "result of an apply")
        check_apply_data(data)
        return read_apply(_adapter(ApplyDocument).validate_python(data))
    except (UnreadableDocument, ReportRefused) as error:
        raise ReportRefused(f"{path}: {error}") from error
    except ValueError as error:
        raise ReportRefused(f"{path}: the result of an apply is not valid: {_problem(error)}") from error


def load_missing_secrets(path: Path) -> tuple[Diagnostic, ...]:
    """Read what a check of secrets found missing.

    Raises:
        ReportRefused: it cannot be read, or is not the document of such a check.
    """
    try:
        document = _adapter(_SecretsCheckDocument).validate_python(_load_json(path, "check of secrets"))
        findings = map(read_diagnostic, document.diagnostics)
        return tuple(finding for finding in findings if finding.missing_secret)
    except UnreadableDocument as error:
        raise ReportRefused(f"{path}: {error}") from error
    except ValueError as error:
        raise ReportRefused(f"{path}: the check of secrets is not valid: {_problem(error)}") from error


@cache
def _adapter(definition: type[Definition]) -> TypeAdapter[Definition]:
    return TypeAdapter(definition)


def _problem(error: ValueError) -> str:
    """Return what is wrong: of pydantic's errors the first, without the value, which may be anything."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    problem = first["msg"].replace("Input should be", "should be").replace("Field required", "is missing")
    return f"{place} {problem}"


def _load_json(path: Path, kind: str) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON in a file that should be a ``kind``.

    Raises:
        UnreadableDocument: there is none that can be read.
    """
    try:
        return json.loads(
            _read(path, kind), parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
        )
    except _DuplicateKey as error:
        raise UnreadableDocument(f"this is not a {kind}: an object has a key twice") from error
    except RecursionError as error:
        raise UnreadableDocument(f"this is not a {kind}: it is nested too deeply") from error
    except ValueError as error:
        raise UnreadableDocument(f"this is not a {kind}: it is not JSON") from error
    except OSError as error:
        raise UnreadableDocument(f"cannot be read: {error.strerror or error}") from error


def _read(path: Path, kind: str) -> str:
    """Read a regular file within bounds; a pipe without a writer would block, and a device never ends."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
            raise IsADirectoryError(None, "Is a directory")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UnreadableDocument(f"this is not a {kind}: it is not a regular file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise UnreadableDocument(f"this is not a {kind}: it is too large")
    try:
        return content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableDocument(f"this is not a {kind}: it is not UTF-8") from None


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says two things under one name: readers differ in which one counts."""
    document = dict(pairs)
    if len(document) < len(pairs):
        raise _DuplicateKey
    return document


def _refuse_constant(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(constant)
