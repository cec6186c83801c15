"""One versioned document of plain data → plan; whatever is not wholly ours is refused."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.address import Address
from reconciler.core.change import Action, ActionReason, Change, Create, Delete, Update
from reconciler.core.connection import FIELDS, OidcConnection
from reconciler.core.errors import Diagnostic, PlanRefused, Severity, Snippet, SourceLocation
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
    try:
        return _plan(document)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise PlanRefused(f"the plan file is not complete ({type(error).__name__}): plan again") from error


def read_connection(document: Document, secret: SecretReference | None = None) -> OidcConnection:
    """Return the connection that a document holds."""
    values: dict[str, Any] = {
        name: _READERS.get(name, _text)(value)
        for name, value in document.items()
        if name in FIELDS and name != "client_secret"
    }
    return OidcConnection(**values, client_secret=secret)


def read_source(document: Document | None) -> SourceLocation | None:
    """Return a place, or None where none is told."""
    if document is None:
        return None
    return SourceLocation(document["filename"], document["line"], document["column"])


def read_diagnostic(document: Document) -> Diagnostic:
    """Return the finding that a document holds."""
    place, code = document.get("range"), document.get("snippet")
    start = place["start"] if place else {}
    return Diagnostic(
        Severity(document["severity"]),
        document["code"],
        document["summary"],
        document.get("detail", ""),
        document.get("hint", ""),
        document.get("address", ""),
        SourceLocation(place["filename"], start["line"], start["column"], start["byte"]) if place else None,
        Snippet(code["code"], code["highlight_start_offset"], code["highlight_end_offset"]) if code else None,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value))
    return value


def _scopes(value: list[object]) -> tuple[str, ...]:
    return tuple(_text(one) for one in value)


def _mapping(value: dict[object, Any]) -> dict[str, Any]:
    """Return a mapping; what is live may hold any JSON, whatever a manifest can declare."""
    return {_text(key): one for key, one in value.items()}


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "custom_scopes": _scopes,
    "attribute_mapping": _mapping,
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
    target = document["target"]
    return Plan(
        scope=Scope(target["base_url"], target["principal"], Environment(target["environment"])),
        created_at=document["timestamp"],
        changes=tuple(_change(one) for one in document["resource_changes"]),
        unmanaged=tuple(
            Unmanaged(one["organization"], read_connection(one["connection"]))
            for one in document["unmanaged"]
        ),
        diagnostics=tuple(read_diagnostic(one) for one in document["diagnostics"]),
        blocks=tuple(read_diagnostic(one) for one in document["blocks"]),
        risks=tuple(read_diagnostic(one) for one in document["risks"]),
        summary=PlanSummary(**{field.name: document["summary"][field.name] for field in fields(PlanSummary)}),
        commit=document["commit"],
        secrets_compared=document["secrets_compared"],
        share=_share(document.get("shard")),
    )


def _share(document: Document | None) -> Share | None:
    if document is None:
        return None
    return Share(
        shard=Shard(int(document["index"]), int(document["count"])),
        positions={str(name): int(position) for name, position in document["positions"].items()},
        remarks=int(document["remarks"]),
    )


def _change(document: Document) -> Change:
    address = Address(_text(document["organization"]), _text(document["name"]))
    organization_id = _text(document["organization_id"])
    location = read_source(document.get("source"))
    change = document["change"]
    match Action(change["actions"][0]):
        case Action.CREATE:
            resumes = document.get("resumes")
            return Create(
                address=address,
                organization_id=organization_id,
                declared=_read_declared(document),
                resumes=resumes and read_connection(resumes),
                namesakes=tuple(document.get("namesakes", ())),
                location=location,
            )
        case Action.UPDATE:
            return Update(
                address=address,
                organization_id=organization_id,
                declared=_read_declared(document),
                before=_with_empties(read_connection(change["before"])),
                changed=tuple(document["changed"]),
                uncomparable=tuple(document["uncomparable"]),
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
    names = [name for name in document["declared"] if name != "client_secret"]
    if "attribute_mapping" in document.get("changed", names):
        for claim in after["attribute_mapping"].values():
            _text(claim)
    reference = document.get("secret_reference")
    return read_connection({name: after[name] for name in names}, reference and _read_reference(reference))


def _with_empties(connection: OidcConnection) -> OidcConnection:
    """Put back what the document leaves out: live attributes that are empty."""
    values: dict[str, Any] = {name: getattr(connection, name) for name in FIELDS}
    empty: dict[str, Any] = {"client_secret": None, "custom_scopes": (), "attribute_mapping": {}}
    return OidcConnection(
        **{name: empty.get(name, "") if value is None else value for name, value in values.items()}
    )


def _read_reference(document: Document) -> SecretReference:
    parts = tuple(
        Locator(_text(part["scheme"]), _text(part["path"])) if "scheme" in part else _text(part["literal"])
        for part in document["parts"]
    )
    return SecretReference(_text(document["text"]), parts)
