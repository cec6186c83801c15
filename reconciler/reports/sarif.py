"""Renders a report as SARIF 2.1.0, which code scanning and editors show on the lines it is about.

Facts from the OASIS standard: levels and rules (3.27.10, 3.49), lines and columns from 1 (3.30.5), places
as URIs relative to a base (3.14.14), fingerprints that survive moved lines (3.27.18).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from reconciler import __version__
from reconciler.core.errors import Severity
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.report import ScanResult, full_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.reports.report import Report

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

LEVELS: Final[Mapping[Severity, Literal["error", "warning", "note"]]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
}

JsonObject = dict[str, Any]


def render_sarif(report: Report, *, version: str = __version__) -> str:
    """Return the document as ASCII text; the run is successful if the report is complete."""
    diagnostics = map(_diagnostic_result, report.diagnostics)
    results = (*report.decisive_results, *diagnostics, *report.results)
    rules = sorted({result.rule for result in results})
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(rules, version)},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": report.is_complete}],
                "results": [_result(result, rules.index(result.rule)) for result in results],
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _diagnostic_result(diagnostic: Diagnostic) -> ScanResult:
    snippet = diagnostic.snippet
    return ScanResult(
        rule=diagnostic.code,
        level=LEVELS[diagnostic.severity],
        message=full_message(diagnostic),
        subject=diagnostic.address,
        location=diagnostic.location,
        length=max(snippet.end - snippet.start, 0) if snippet else 0,
    )


def _driver(rules: Sequence[str], version: str) -> JsonObject:
    return {
        "name": "reconciler",
        "semanticVersion": version,
        "rules": [{"id": rule, "name": _pascal(rule)} for rule in rules],
    }


def _result(result: ScanResult, rule_index: int) -> JsonObject:
    document: JsonObject = {
        "ruleId": result.rule,
        "ruleIndex": rule_index,
        "level": result.level,
        "message": {"text": _message(result.message)},
        "partialFingerprints": {"reconciler/v1": result.fingerprint or _fingerprint(result)},
    }
    location: JsonObject = (
        {"physicalLocation": _place(result.location, result.length)} if result.location else {}
    )
    if result.subject:
        location["logicalLocations"] = [
            {"fullyQualifiedName": escape_terminal(result.subject), "kind": "resource"}
        ]
    return document | ({"locations": [location]} if location else {})


def _place(location: SourceLocation, length: int) -> JsonObject:
    region = {"startLine": location.line, "startColumn": location.column}
    if length:
        region["endColumn"] = location.column + length
    path = location.path.encode("utf-8", "replace")
    return {"artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"}, "region": region}


def _message(text: str) -> str:
    """Return plain text; a viewer would read ``[text](target)`` in it as a link (3.11.6)."""
    lines = "\n".join(escape_terminal(line) for line in text.split("\n"))
    return lines.replace("](", "] (")


def _fingerprint(result: ScanResult) -> str:
    """Return a digest of what the result is about, not of where it stands."""
    path = result.location.path if result.location else ""
    identity = f"{result.rule}\0{result.subject}\0{path}\0{result.message}"
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


def _pascal(rule: str) -> str:
    return "".join(word.capitalize() for word in rule.split("-"))
