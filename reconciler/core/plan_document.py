"""Plan → one versioned document of plain data, in the shape of Terraform's JSON plan.

The saved plan, ``--format json`` and every human view come from this one value. It holds no
secret: sensitive values are null, and what is needed to find them again are references.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.change import (
    RESOURCE_TYPE,
    Action,
    Change,
    Create,
    Delete,
    Update,
    attribute_changes,
)
from reconciler.core.connection import FIELDS, OidcConnection
from reconciler.core.secret import Locator, SecretReference

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic, Snippet, SourceLocation
    from reconciler.core.plan import Plan, Unmanaged

FORMAT_VERSION: Final = "1.0"
"""The major number changes when an older reader would misunderstand the document."""

TERRAFORM_VERSION: Final = "1.5.0"
"""The release of Terraform whose plan document this one has the shape of; tools for such plans ask."""

Document = dict[str, Any]


def to_document(plan: Plan, version: str) -> Document:
    """Return the plan as JSON-ready data, sealed by a digest over all of it.

    ``version`` is that of the program which writes.
    """
    changes = [_resource_change(change) for change in plan.changes]
    document: Document = {
        "format_version": FORMAT_VERSION,
        "terraform_version": TERRAFORM_VERSION,
        "reconciler_version": version,
        "timestamp": plan.created_at,
        "commit": plan.commit,
        "target": asdict(plan.scope),
        "applyable": plan.can_apply,
        "complete": plan.is_complete,
        "errored": plan.has_errors,
        "secrets_compared": plan.secrets_compared,
        "summary": asdict(plan.summary),
        "resource_changes": changes,
        "planned_values": {"root_module": {"resources": _planned_values(changes)}},
        "unmanaged": [unmanaged_document(one) for one in plan.unmanaged],
        "diagnostics": [diagnostic_document(found) for found in plan.diagnostics],
        "blocks": [diagnostic_document(found) for found in plan.blocks],
        "risks": [diagnostic_document(found) for found in plan.risks],
    }
    if plan.share:
        document["shard"] = asdict(plan.share.shard) | {
            "positions": dict(plan.share.positions),
            "remarks": plan.share.remarks,
        }
    return document | {"digest": digest(document)}


def digest(document: Document) -> str:
    """Return the SHA-256 of the canonical JSON text.

    It shows accidents and careless edits; who may replace a plan file must be settled by where it
    is kept.
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def diagnostic_document(found: Diagnostic) -> Document:
    """Return a finding in the shape of Terraform's ``validate -json``, with code and address."""
    document: Document = {
        "severity": found.severity.value,
        "code": found.code,
        "summary": found.summary,
        "detail": found.detail,
    }
    document |= {name: value for name in ("hint", "address") if (value := getattr(found, name))}
    if found.location:
        document["range"] = _range(found.location, found.snippet)
    if found.location and found.snippet:
        document["snippet"] = {
            "context": None,
            "code": found.snippet.text,
            "start_line": found.location.line,
            "highlight_start_offset": found.snippet.start,
            "highlight_end_offset": found.snippet.end,
            "values": [],
        }
    return document


def unmanaged_document(one: Unmanaged) -> Document:
    """Return a connection that nobody declares, with its organization."""
    return {"organization": one.organization, "connection": connection_document(one.connection)}


def connection_document(connection: OidcConnection) -> Document:
    """Return what is known of a connection, without its secret."""
    values = {name: plain(getattr(connection, name)) for name in FIELDS if name != "client_secret"}
    return {name: value for name, value in values.items() if value is not None}


def plain(value: object) -> object:
    """Return a value in JSON's types."""
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _range(location: SourceLocation, snippet: Snippet | None) -> Document:
    text = snippet.text[snippet.start : snippet.end] if snippet else ""
    start = {"line": location.line, "column": location.column, "byte": location.byte}
    end = {
        "line": location.line,
        "column": location.column + len(text),
        "byte": location.byte + len(text.encode()),
    }
    return {"filename": location.path, "start": start, "end": end}


def _resource_change(change: Change) -> Document:
    attributes = attribute_changes(change)
    before = {
        one.name: None if one.is_sensitive else plain(one.before)
        for one in attributes
        if one.before is not None or (one.is_sensitive and one.action is not Action.CREATE)
    }
    after = {
        one.name: None if one.is_sensitive else plain(one.after)
        for one in attributes
        if one.after is not None or one.is_sensitive
    }
    sensitive = {one.name: True for one in attributes if one.is_sensitive}
    is_new, is_gone = isinstance(change, Create), isinstance(change, Delete)
    document: Document = {
        "address": str(change.address),
        "mode": "managed",
        "type": RESOURCE_TYPE,
        "name": change.address.connection,
        "provider_name": "stytch",
        "organization": change.address.organization,
        "organization_id": change.organization_id,
        "change": {
            "actions": [change.action.value],
            "before": None if is_new else before,
            "after": None if is_gone else after,
            "after_unknown": {one.name: True for one in attributes if one.is_unknown},
            "before_sensitive": False if is_new else sensitive,
            "after_sensitive": False if is_gone else sensitive,
        },
    }
    if change.reason:
        document["action_reason"] = change.reason.value
    return document | _what_apply_needs(change)


def _planned_values(changes: list[Document]) -> list[Document]:
    """Return what the changes lead to, where tools for Terraform's plans look for it."""
    return [
        {key: one[key] for key in ("address", "mode", "type", "name", "provider_name")}
        | {"values": one["change"]["after"], "sensitive_values": one["change"]["after_sensitive"]}
        for one in changes
        if one["change"]["after"] is not None
    ]


def _what_apply_needs(change: Change) -> Document:
    document: Document = {}
    if change.location:
        document["source"] = {
            "filename": change.location.path,
            "line": change.location.line,
            "column": change.location.column,
        }
    if isinstance(change, Create | Update):
        document["declared"] = list(change.declared.declared_fields)
        if isinstance(change.declared.client_secret, SecretReference):
            document["secret_reference"] = _reference(change.declared.client_secret)
    if isinstance(change, Update):
        document["changed"] = list(change.changed)
        document["uncomparable"] = list(change.uncomparable)
    if isinstance(change, Create) and change.same_name_ids:
        document["namesakes"] = list(change.same_name_ids)
    if isinstance(change, Create) and change.resumes:
        document["resumes"] = connection_document(change.resumes)
    return document


def _reference(reference: SecretReference) -> Document:
    parts = [
        {"scheme": part.scheme, "path": part.path} if isinstance(part, Locator) else {"literal": part}
        for part in reference.parts
    ]
    return {"text": reference.text, "parts": parts}
