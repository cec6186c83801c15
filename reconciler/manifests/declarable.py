"""Can a manifest say this? Live values are not bound by its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.manifests.definition import OrganizationManifest
from reconciler.manifests.escapes import check_escapes
from reconciler.manifests.findings import Findings
from reconciler.manifests.limits import ReadLimits
from reconciler.manifests.source import Source
from reconciler.manifests.validation import validate
from reconciler.manifests.writing import shown

if TYPE_CHECKING:
    from reconciler.manifests.events import Value

_ANY: Final = "any"


def objection(field: str, value: object) -> str | None:
    """Return why a connection's field cannot be declared with this value, or None if it can."""
    return _objection({"organization": _ANY, "connections": {_ANY: {field: _plain(value)}}})


def organization_objection(field: str, value: str) -> str | None:
    """Return why an organization's field cannot be declared with this value, or None if it can."""
    return _objection({"organization": _ANY, field: value})


def _objection(document: Value) -> str | None:
    """Ask the very rules that a manifest is read by; a reason is fit for a comment."""
    findings = Findings(Source("", ""), ReadLimits().max_depth)
    report = findings.document(0)
    check_escapes(document, (), report)
    if not findings.has_errors:
        validate(OrganizationManifest, document, report)
    if not findings.has_errors:
        return None
    return shown(findings.diagnostics[0].summary)[1:-1]


def _plain(value: object) -> Value:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
