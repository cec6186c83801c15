"""Converts plans to JSON documents, and JSON documents of the same format version to plans."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from reconciler.core.address import Address
from reconciler.core.change import (
    DEFAULT_TYPE,
    RESOURCE_TYPE,
    Action,
    Change,
    Create,
    DefaultChange,
    Delete,
    Update,
    attribute_changes,
)
from reconciler.core.connection import FIELDS, INFERRED_FIELDS, OidcConnection
from reconciler.core.document_parts import (
    ConnectionDocument,
    TargetDocument,
    copy_fields,
    diagnostic_document,
    read_connection,
    read_diagnostic,
    read_source,
    read_unmanaged,
    source_document,
    to_json_data,
    unmanaged_document,
)
from reconciler.core.errors import PlanRefused
from reconciler.core.plan import Plan, PlanInputs, PlanSummary, Scope
from reconciler.core.plan_document import (
    FORMAT_VERSION,
    TERRAFORM_VERSION,
    Attributes,
    AttributesWithSecret,
    ChangeDocument,
    InputsDocument,
    IssuerMetadataDocument,
    LiteralDocument,
    LocatorDocument,
    PlanDocument,
    PlannedResourceDocument,
    PlannedValuesDocument,
    PlanSummaryDocument,
    ResourceChangeDocument,
    RootModuleDocument,
    SecretReferenceDocument,
    SensitiveAttributes,
    ShardDocument,
    UnknownAttributes,
)
from reconciler.core.plan_review_document import (
    approval_document,
    ignored_document,
    read_approval,
    read_ignored,
    read_sign_in,
    sign_in_document,
)
from reconciler.core.run_selection import MergeInfo, Shard
from reconciler.core.secret import Locator, SecretReference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.document_parts import JsonObject

Value = TypeVar("Value")

_EMPTY: Final[dict[str, Any]] = {"client_secret": None, "custom_scopes": (), "attribute_mapping": {}}


def plan_document(plan: Plan, version: str) -> PlanDocument:
    """Return the document of a plan; ``version`` is that of the program which writes it."""
    changes = tuple(map(_change_document, plan.changes))
    document = copy_fields(
        PlanDocument,
        plan,
        format_version=FORMAT_VERSION,
        terraform_version=TERRAFORM_VERSION,
        reconciler_version=version,
        timestamp=plan.created_at,
        target=copy_fields(TargetDocument, plan.scope),
        applyable=plan.can_apply,
        complete=plan.is_complete,
        errored=plan.has_errors,
        summary=copy_fields(PlanSummaryDocument, plan.summary),
        resource_changes=changes,
        planned_values=_planned_values(changes),
        unmanaged=tuple(map(unmanaged_document, plan.unmanaged)),
        diagnostics=tuple(map(diagnostic_document, plan.diagnostics)),
        blocks=tuple(map(diagnostic_document, plan.blocks)),
        risks=tuple(map(diagnostic_document, plan.risks)),
        approvals=tuple(map(approval_document, plan.approvals)),
        guards_compared=plan.guards is not None,
        guards=tuple(map(diagnostic_document, plan.guards or ())),
        already_live=tuple(map(sign_in_document, plan.already_live)),
        ignored=tuple(map(ignored_document, plan.ignored)),
        shard=_shard_document(plan.merge_info) if plan.merge_info else None,
        inputs=copy_fields(InputsDocument, plan.inputs) if plan.inputs else None,
        digest="",
    )
    return replace(document, digest=digest(to_json_data(document)))


def digest(data: JsonObject) -> str:
    """Return the SHA-256 of the canonical JSON text of all keys but ``digest``.

    It detects accidents and careless edits. Who may replace a plan file is decided by where it is kept.
    """
    content = {key: value for key, value in data.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def check_plan_data(data: object) -> None:
    """Check the version and the digest of a document that may be anything.

    Raises:
        PlanRefused: it is not a plan, has another version, was changed later, or its run failed.
    """
    if not isinstance(data, dict) or "format_version" not in data:
        raise PlanRefused("this is not a plan file: it has no format_version")
    version = data["format_version"]
    if not isinstance(version, str) or version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise PlanRefused(
            f"the plan file has format_version {version!r}, this program reads {FORMAT_VERSION}: "
            "plan again with the version that is to apply"
        )
    if data.get("digest") != digest(data):
        raise PlanRefused("the plan file was changed after it was written: plan again")
    if data.get("target", data) is None:
        raise PlanRefused("the run that wrote this file failed before there was a plan: plan again")


def read_plan(document: PlanDocument) -> Plan:
    """Return the plan in a document.

    Raises:
        PlanRefused: the counts of changes, by which deletes are limited, are not those of its changes.
        ValueError: its parts contradict each other.
    """
    if document.target is None:
        raise ValueError("there is no target")
    changes = tuple(map(_read_change, document.resource_changes))
    return copy_fields(
        Plan,
        document,
        scope=copy_fields(Scope, document.target),
        created_at=document.timestamp,
        live=(),
        missing=(),
        changes=changes,
        unmanaged=tuple(map(read_unmanaged, document.unmanaged)),
        diagnostics=tuple(map(read_diagnostic, document.diagnostics)),
        blocks=tuple(map(read_diagnostic, document.blocks)),
        risks=tuple(map(read_diagnostic, document.risks)),
        summary=_read_summary(document.summary, changes),
        merge_info=_read_shard(document.shard) if document.shard else None,
        inputs=copy_fields(PlanInputs, document.inputs) if document.inputs else None,
        approvals=tuple(map(read_approval, document.approvals)),
        guards=tuple(map(read_diagnostic, document.guards)) if document.guards_compared else None,
        already_live=tuple(map(read_sign_in, document.already_live)),
        ignored=tuple(map(read_ignored, document.ignored)),
    )


def _change_document(change: Change) -> ResourceChangeDocument:
    return ResourceChangeDocument(
        address=str(change.address),
        mode="managed",
        type=DEFAULT_TYPE if isinstance(change, DefaultChange) else RESOURCE_TYPE,
        name=change.address.connection,
        provider_name="stytch",
        organization=change.address.organization,
        organization_id=change.organization_id,
        change=_before_and_after(change),
        action_reason=change.reason,
        source=source_document(change.location),
        **_needed_by_apply(change),
    )


def _needed_by_apply(change: Change) -> dict[str, Any]:
    if isinstance(change, Delete):
        return {}
    if isinstance(change, DefaultChange):
        return {"default": change.connection}
    needed: dict[str, Any] = {
        "declared": change.declared.declared_fields,
        "secret_reference": _reference_document(change.declared),
        "issuer_metadata": IssuerMetadataDocument(**change.published) if change.published else None,
        "enforced": change.enforced or None,
    }
    if isinstance(change, Update):
        return needed | {"changed": change.changed, "uncomparable": change.uncomparable}
    resumes = copy_fields(ConnectionDocument, change.resumes) if change.resumes else None
    return needed | {"namesakes": change.same_name_ids or None, "resumes": resumes}


def _before_and_after(change: Change) -> ChangeDocument:
    attributes = attribute_changes(change)
    before = {attribute.name: attribute.before for attribute in attributes}
    after = {attribute.name: attribute.after for attribute in attributes}
    unknown: dict[str, Any] = {attribute.name: True for attribute in attributes if attribute.is_unknown}
    sensitive: dict[str, Any] = {attribute.name: True for attribute in attributes if attribute.is_sensitive}
    marks = SensitiveAttributes(**sensitive)
    actions: Any = (change.action,)
    is_create, is_delete = isinstance(change, Create), isinstance(change, Delete)
    return ChangeDocument(
        actions=actions,
        before=None if is_create else _attributes(before),
        after=None if is_delete else _attributes(after),
        after_unknown=UnknownAttributes(**unknown),
        before_sensitive=False if is_create else marks,
        after_sensitive=False if is_delete else marks,
    )


def _attributes(values: dict[str, Any]) -> Attributes:
    return AttributesWithSecret(**values) if "client_secret" in values else Attributes(**values)


def _planned_values(changes: Iterable[ResourceChangeDocument]) -> PlannedValuesDocument:
    resources = tuple(
        copy_fields(
            PlannedResourceDocument,
            change,
            values=change.change.after,
            sensitive_values=change.change.after_sensitive,
        )
        for change in changes
        if change.change.after is not None and change.type == RESOURCE_TYPE
    )
    return PlannedValuesDocument(root_module=RootModuleDocument(resources=resources))


def _reference_document(declared: OidcConnection) -> SecretReferenceDocument | None:
    reference = declared.client_secret
    if not isinstance(reference, SecretReference):
        return None
    parts = (
        copy_fields(LocatorDocument, part) if isinstance(part, Locator) else LiteralDocument(literal=part)
        for part in reference.parts
    )
    return SecretReferenceDocument(text=reference.text, parts=tuple(parts))


def _shard_document(info: MergeInfo) -> ShardDocument:
    return copy_fields(ShardDocument, info.shard, positions=info.positions, remarks=info.manifest_warnings)


def _read_summary(document: PlanSummaryDocument, changes: tuple[Change, ...]) -> PlanSummary:
    kinds: tuple[tuple[Any, str, int], ...] = (
        (Create, "add", document.add),
        (Update | DefaultChange, "change", document.change),
        (Delete, "destroy", document.destroy),
    )
    for kind, name, said in kinds:
        held = sum(isinstance(change, kind) for change in changes)
        if held != said:
            raise PlanRefused(
                f"the plan file says {said} to {name}, but holds {held}: it was not written by this program"
            )
    return copy_fields(PlanSummary, document)


def _read_shard(document: ShardDocument) -> MergeInfo:
    if any(position < 0 for position in document.positions.values()):
        raise ValueError("a position is negative")
    shard = Shard(document.index, document.count)
    return MergeInfo(shard=shard, positions=document.positions, manifest_warnings=document.remarks)


def _read_change(document: ResourceChangeDocument) -> Change:
    common: dict[str, Any] = {
        "address": Address(document.organization, document.name),
        "organization_id": document.organization_id,
        "location": read_source(document.source),
    }
    if document.type == DEFAULT_TYPE:
        return _read_default(document, common)
    match document.change.actions[0]:
        case Action.CREATE:
            return Create(
                **common,
                declared=_read_declared(document),
                resumes=read_connection(document.resumes) if document.resumes else None,
                same_name_ids=document.namesakes or (),
                **_read_published(document),
            )
        case Action.UPDATE:
            return Update(
                **common,
                declared=_read_declared(document),
                before=_read_before(document),
                changed=_changed_fields(document),
                uncomparable=_required(document.uncomparable, "uncomparable"),
                **_read_published(document),
            )
        case Action.DELETE:
            reason = _required(document.action_reason, "action_reason")
            return Delete(**common, before=_read_before(document), reason=reason)


def _read_default(document: ResourceChangeDocument, common: dict[str, Any]) -> DefaultChange:
    before, after = _required(document.change.before, "before"), _required(document.change.after, "after")
    if document.change.actions != (Action.UPDATE,) or document.name:
        raise ValueError("a default connection is not updated")
    return DefaultChange(
        **common,
        connection=_required(document.default, "default"),
        display_name=_required(after.display_name, "display_name"),
        connection_id=after.connection_id or "",
        before_id=before.connection_id or "",
        before_name=before.display_name or "",
    )


def _read_declared(document: ResourceChangeDocument) -> OidcConnection:
    """Return the declared fields; an attribute mapping that will be sent holds only strings."""
    names = _required(document.declared, "declared")
    after = _required(document.change.after, "after")
    values = {name: _required(getattr(after, name), name) for name in names if name != "client_secret"}
    if "attribute_mapping" in (document.changed or names):
        claims = values.get("attribute_mapping", {}).values()
        if not all(isinstance(claim, str) for claim in claims):
            raise ValueError("attribute_mapping holds more than texts")
    return OidcConnection(**values, client_secret=_read_reference(document.secret_reference))


def _read_published(document: ResourceChangeDocument) -> dict[str, Any]:
    """Return the endpoints in the issuer's metadata, and which of them count as declared."""
    endpoints = document.issuer_metadata
    values = {name: getattr(endpoints, name) for name in INFERRED_FIELDS} if endpoints else {}
    published = {name: url for name, url in values.items() if url is not None}
    enforced = document.enforced or ()
    after = _required(document.change.after, "after")
    if any(name not in published or published[name] != getattr(after, name) for name in enforced):
        raise ValueError("an enforced field has another value than the issuer's metadata")
    return {"published": published, "enforced": enforced}


def _read_before(document: ResourceChangeDocument) -> OidcConnection:
    """Return the live connection; attributes that are empty were left out of the document."""
    before = _required(document.change.before, "before")
    values = {name: getattr(before, name) for name in FIELDS}
    return OidcConnection(
        **{name: _EMPTY.get(name, "") if value is None else value for name, value in values.items()}
    )


def _changed_fields(document: ResourceChangeDocument) -> tuple[str, ...]:
    changed = _required(document.changed, "changed")
    if not set(changed) <= {*_required(document.declared, "declared")}:
        raise ValueError("a field changes that is not declared")
    return changed


def _read_reference(document: SecretReferenceDocument | None) -> SecretReference | None:
    if document is None:
        return None
    parts = (
        copy_fields(Locator, part) if isinstance(part, LocatorDocument) else part.literal
        for part in document.parts
    )
    return SecretReference(document.text, tuple(parts))


def _required(value: Value | None, name: str) -> Value:
    if value is None:
        raise ValueError(f"{name} is missing")
    return value
