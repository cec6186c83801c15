"""One versioned document of plain data → plan; whatever is not wholly ours is refused."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.address import Address
from reconciler.core.change import Action, ActionReason, Change, Create, Delete, Update
from reconciler.core.connection import FIELDS, SENSITIVE_FIELDS, WRITABLE_FIELDS, OidcConnection
from reconciler.core.errors import Diagnostic, PlanRefused, Severity, Snippet, SourceLocation
from reconciler.core.plain_data import count, flag, mapping, text, texts
from reconciler.core.plan import Environment, Plan, PlanSummary, Scope, Unmanaged
from reconciler.core.plan_document import FORMAT_VERSION, digest
from reconciler.core.secret import Locator, SecretReference
from reconciler.core.shard import Shard, Share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.plan_document import Document


def from_document(document: Document) -> Plan:
    """Return the plan that a document holds.

    Raises:
        PlanRefused: it is no plan, of another version, or was changed after it was written.
    """
    _check_version(document)
    if document.get("digest") != digest({key: document[key] for key in document if key != "digest"}):
        raise PlanRefused("the plan file was changed after it was written: plan again")
    if document.get("target", document) is None:
        raise PlanRefused("the run that wrote this file failed before there was a plan: plan again")
    try:
        return _plan(document)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise PlanRefused(f"the plan file is not complete ({type(error).__name__}): plan again") from error


def read_connection(document: Document, secret: SecretReference | None = None) -> OidcConnection:
    """Return the connection that a document holds."""
    values: dict[str, Any] = {
        name: _READERS.get(name, text)(value)
        for name, value in document.items()
        if name in FIELDS and name != "client_secret"
    }
    return OidcConnection(**values, client_secret=secret)


def read_source(document: Document | None) -> SourceLocation | None:
    """Return a place, or None where none is told."""
    if document is None:
        return None
    return SourceLocation(
        text(document["filename"]), line=count(document["line"], 1), column=count(document["column"], 1)
    )


def read_diagnostic(document: Document) -> Diagnostic:
    """Return the finding that a document holds."""
    return Diagnostic(
        Severity(document["severity"]),
        text(document["code"]),
        text(document["summary"]),
        detail=text(document.get("detail", "")),
        hint=text(document.get("hint", "")),
        address=text(document.get("address", "")),
        location=_read_range(document.get("range")),
        snippet=_read_snippet(document.get("snippet")),
    )


def read_scope(document: Document) -> Scope:
    """Return whom a document is for."""
    return Scope(
        text(document["base_url"]), text(document["principal"]), Environment(document["environment"])
    )


def read_unmanaged(document: Document) -> Unmanaged:
    """Return a connection that nobody declares."""
    return Unmanaged(text(document["organization"]), read_connection(document["connection"]))


def _read_range(document: Document | None) -> SourceLocation | None:
    if document is None:
        return None
    start = document["start"]
    return SourceLocation(
        text(document["filename"]),
        line=count(start["line"], 1),
        column=count(start["column"], 1),
        byte=count(start["byte"]),
    )


def _read_snippet(document: Document | None) -> Snippet | None:
    if document is None:
        return None
    code, start = text(document["code"]), count(document["highlight_start_offset"])
    end = count(document["highlight_end_offset"], start)
    if end > len(code):
        raise ValueError(end)
    return Snippet(text=code, start=start, end=end)


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "custom_scopes": texts,
    "attribute_mapping": mapping,
}


def _check_version(document: object) -> None:
    if not isinstance(document, dict) or "format_version" not in document:
        raise PlanRefused("this is no plan file: it has no format_version")
    version = document["format_version"]
    if not isinstance(version, str) or version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise PlanRefused(
            f"the plan file has format_version {version!r}, this program reads {FORMAT_VERSION}: "
            "plan again with the version that is to apply"
        )


def _plan(document: Document) -> Plan:
    changes = tuple(_change(one) for one in document["resource_changes"])
    return Plan(
        scope=read_scope(document["target"]),
        created_at=text(document["timestamp"]),
        changes=changes,
        unmanaged=tuple(read_unmanaged(one) for one in document["unmanaged"]),
        diagnostics=tuple(read_diagnostic(one) for one in document["diagnostics"]),
        blocks=tuple(read_diagnostic(one) for one in document["blocks"]),
        risks=tuple(read_diagnostic(one) for one in document["risks"]),
        summary=_summary(document["summary"], changes),
        commit=text(document["commit"]),
        secrets_compared=flag(document["secrets_compared"]),
        share=_share(document.get("shard")),
    )


def _summary(document: Document, changes: tuple[Change, ...]) -> PlanSummary:
    """Return the counts; those of changes, by which deletes are limited, must be right."""
    summary = PlanSummary(**{field.name: count(document[field.name]) for field in fields(PlanSummary)})
    for name, kind in (("add", Create), ("change", Update), ("destroy", Delete)):
        held, said = sum(isinstance(one, kind) for one in changes), getattr(summary, name)
        if held != said:
            raise PlanRefused(
                f"the plan file says {said} to {name}, but holds {held}: it was not written by this program"
            )
    return summary


def _share(document: Document | None) -> Share | None:
    if document is None:
        return None
    return Share(
        shard=Shard(count(document["index"], 1), count(document["count"], 1)),
        positions={name: count(position) for name, position in mapping(document["positions"]).items()},
        remarks=count(document["remarks"]),
    )


def _change(document: Document) -> Change:
    address = Address(text(document["organization"]), text(document["name"]))
    organization_id = text(document["organization_id"])
    location = read_source(document.get("source"))
    change = document["change"]
    match Action(change["actions"][0]):
        case Action.CREATE:
            resumes = document.get("resumes")
            return Create(
                address=address,
                organization_id=organization_id,
                declared=_read_declared(document),
                resumes=None if resumes is None else read_connection(resumes),
                same_name_ids=texts(document.get("namesakes", [])),
                location=location,
            )
        case Action.UPDATE:
            declared = _read_declared(document)
            return Update(
                address=address,
                organization_id=organization_id,
                declared=declared,
                before=_with_empties(read_connection(change["before"])),
                changed=texts(document["changed"], declared.declared_fields),
                uncomparable=texts(document["uncomparable"], SENSITIVE_FIELDS),
                location=location,
            )
        case Action.DELETE:
            return Delete(
                address=address,
                organization_id=organization_id,
                before=_with_empties(read_connection(change["before"])),
                reason=ActionReason(document["action_reason"]),
                location=location,
            )
        case other:
            raise ValueError(other)


def _read_declared(document: Document) -> OidcConnection:
    after = document["change"]["after"]
    names = [name for name in texts(document["declared"], WRITABLE_FIELDS) if name != "client_secret"]
    if "attribute_mapping" in document.get("changed", names):
        for claim in after["attribute_mapping"].values():
            text(claim)
    reference = document.get("secret_reference")
    secret = None if reference is None else _read_reference(reference)
    return read_connection({name: after[name] for name in names}, secret)


def _with_empties(connection: OidcConnection) -> OidcConnection:
    """Put back what the document leaves out: live attributes that are empty."""
    values: dict[str, Any] = {name: getattr(connection, name) for name in FIELDS}
    empty: dict[str, Any] = {"client_secret": None, "custom_scopes": (), "attribute_mapping": {}}
    return OidcConnection(
        **{name: empty.get(name, "") if value is None else value for name, value in values.items()}
    )


def _read_reference(document: Document) -> SecretReference:
    parts = tuple(
        Locator(text(part["scheme"]), text(part["path"])) if "scheme" in part else text(part["literal"])
        for part in document["parts"]
    )
    return SecretReference(text(document["text"]), parts)
