"""Drift report ⇄ one versioned document of plain data, free of secrets."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.drift import DriftKind, DriftReport, Finding, FindingStatus
from reconciler.core.errors import ReportRefused
from reconciler.core.plain_data import count, flag, mapping, text, texts
from reconciler.core.plan_document import diagnostic_document, plain, unmanaged_document
from reconciler.core.plan_parsing import read_diagnostic, read_scope, read_source, read_unmanaged

if TYPE_CHECKING:
    from reconciler.core.change import Value
    from reconciler.core.errors import SourceLocation
    from reconciler.core.plan_document import Document

FORMAT_VERSION: Final = "1.0"
"""The major number changes when an older reader would misunderstand the document."""

REPORT: Final = "drift"
"""Tells this document from the others that carry a format_version."""


def to_document(report: DriftReport, version: str) -> Document:
    """Return the report as JSON-ready data; ``version`` is that of the program which writes."""
    return {
        "format_version": FORMAT_VERSION,
        "reconciler_version": version,
        "report": REPORT,
        "timestamp": report.created_at,
        "previous_timestamp": report.previous_at,
        "commit": report.commit,
        "target": asdict(report.scope),
        "drifted": report.has_drift,
        "complete": report.is_complete,
        "errored": report.has_errors,
        "secrets_compared": report.secrets_compared,
        "summary": asdict(report.summary),
        "findings": [_finding(one) for one in report.findings],
        "resolved": [_finding(one) for one in report.resolved],
        "unchecked": [_finding(one) for one in report.unchecked],
        "unmanaged": [unmanaged_document(one) for one in report.unmanaged],
        "diagnostics": [diagnostic_document(found) for found in report.diagnostics],
    }


def from_document(document: Document) -> DriftReport:
    """Return the report that a document holds.

    Raises:
        ReportRefused: it is no drift report, or one of another version.
    """
    _check(document)
    if document.get("target", document) is None:
        raise ReportRefused("this is no drift report to compare with: the run that wrote it failed")
    try:
        return _report(document)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ReportRefused(f"the drift report is not complete ({type(error).__name__})") from error


def _check(document: object) -> None:
    if not isinstance(document, dict) or document.get("report") != REPORT:
        raise ReportRefused("this is no drift report, as `drift --format json` writes it")
    version = document.get("format_version")
    if not isinstance(version, str) or version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise ReportRefused(
            f"the drift report has format_version {version!r}, this program reads {FORMAT_VERSION}"
        )


def _report(document: Document) -> DriftReport:
    summary = document["summary"]
    return DriftReport(
        scope=read_scope(document["target"]),
        created_at=text(document["timestamp"]),
        commit=text(document["commit"]),
        findings=tuple(_read_finding(one) for one in document["findings"]),
        resolved=tuple(_read_finding(one) for one in document["resolved"]),
        unchecked=tuple(_read_finding(one) for one in document["unchecked"]),
        unmanaged=tuple(read_unmanaged(one) for one in document["unmanaged"]),
        diagnostics=tuple(read_diagnostic(one) for one in document["diagnostics"]),
        organizations=count(summary["organizations"]),
        refused=count(summary["refused"]),
        secrets_compared=flag(document["secrets_compared"]),
        previous_at=text(document["previous_timestamp"]),
    )


def _finding(finding: Finding) -> Document:
    document: Document = {
        "fingerprint": finding.fingerprint,
        "address": str(finding.address),
        "organization": finding.address.organization,
        "organization_id": finding.organization_id,
        "name": finding.address.connection,
        "connection_id": finding.connection_id or None,
        "kind": finding.kind.value,
        "attribute": finding.attribute or None,
        "declared": plain(finding.declared),
        "live": plain(finding.live),
        "sensitive": finding.is_sensitive,
        "standing": finding.status.value,
        "first_seen": finding.first_seen,
    }
    if finding.location:
        document["source"] = _source(finding.location)
    return document


def _source(location: SourceLocation) -> Document:
    return {"filename": location.path, "line": location.line, "column": location.column}


def _read_finding(document: Document) -> Finding:
    kind, attribute = DriftKind(document["kind"]), document["attribute"]
    if attribute not in (WRITABLE_FIELDS if kind is DriftKind.CHANGED else (None,)):
        raise ValueError(attribute)
    identifier = document["connection_id"]
    return Finding(
        address=Address(text(document["organization"]), text(document["name"])),
        organization_id=text(document["organization_id"]),
        kind=kind,
        connection_id="" if identifier is None else text(identifier),
        attribute=attribute or "",
        declared=_read_value(document["declared"]),
        live=_read_value(document["live"]),
        location=read_source(document.get("source")),
        status=FindingStatus(document["standing"]),
        first_seen=text(document["first_seen"]),
    )


def _read_value(value: object) -> Value | None:
    if value is None or isinstance(value, str):
        return value
    return texts(value) if isinstance(value, list) else mapping(value)
