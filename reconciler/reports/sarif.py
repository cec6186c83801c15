"""Findings as SARIF 2.1.0, which code scanning and editors show on the lines they are about.

Facts from the OASIS standard: levels and rules (3.27.10, 3.49), lines and columns from 1 (3.30.5), places
as URIs relative to a base (3.14.14), fingerprints that survive moved lines (3.27.18).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from reconciler import __version__
from reconciler.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.errors import Diagnostic, SourceLocation

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of a report: ``rule`` says of what sort it is, ``subject`` what it is about.

    ``level`` is error, warning or note.
    """

    rule: str
    level: str
    message: str
    subject: str = ""
    location: SourceLocation | None = None
    fingerprint: str = ""
    length: int = 0


def sarif_text(results: Iterable[Result], *, succeeded: bool, version: str = __version__) -> str:
    """Return the document as ASCII text; ``succeeded``: everything could be looked at."""
    found = tuple(results)
    rules = sorted({one.rule for one in found})
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(rules, version)},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": succeeded}],
                "results": [_result(one, rules.index(one.rule)) for one in found],
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def result_of(found: Diagnostic) -> Result:
    """Return a finding as a result."""
    parts = (found.summary, found.detail, found.hint and f"hint: {found.hint}")
    marked = found.snippet.end - found.snippet.start if found.snippet else 0
    return Result(
        rule=found.code,
        level=found.severity.value,
        message="\n".join(part for part in parts if part),
        subject=found.address,
        location=found.location,
        length=max(marked, 0),
    )


def _driver(rules: list[str], version: str) -> Document:
    return {
        "name": "reconciler",
        "semanticVersion": version,
        "rules": [{"id": rule, "name": _pascal(rule)} for rule in rules],
    }


def _result(one: Result, rule_index: int) -> Document:
    document: Document = {
        "ruleId": one.rule,
        "ruleIndex": rule_index,
        "level": one.level,
        "message": {"text": _message(one.message)},
        "partialFingerprints": {"reconciler/v1": one.fingerprint or _fingerprint(one)},
    }
    location: Document = {"physicalLocation": _place(one.location, one.length)} if one.location else {}
    if one.subject:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(one.subject), "kind": "resource"}]
    return document | ({"locations": [location]} if location else {})


def _place(location: SourceLocation, length: int) -> Document:
    region = {"startLine": location.line, "startColumn": location.column}
    if length:
        region["endColumn"] = location.column + length
    path = location.path.encode("utf-8", "replace")
    return {
        "artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"},
        "region": region,
    }


def _message(text: str) -> str:
    """Return plain text; a viewer would read ``[text](target)`` in it as a link (3.11.6)."""
    lines = "\n".join(visible(line) for line in text.split("\n"))
    return lines.replace("](", "] (")


def _fingerprint(one: Result) -> str:
    """Return a digest of what the result is about, not of where it stands."""
    path = one.location.path if one.location else ""
    identity = f"{one.rule}\0{one.subject}\0{path}\0{one.message}"
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()


def _pascal(rule: str) -> str:
    return "".join(word.capitalize() for word in rule.split("-"))
