"""Applies the risk rules to what differs from the base, whether or not live state already has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.core.change import Create, Update
from reconciler.core.connection import DEFAULT_IDENTITY_PROVIDER, WRITABLE_FIELDS, OidcConnection
from reconciler.core.plan import SIGN_IN_FIELDS, SignInChange
from reconciler.core.secret import SecretReference
from reconciler.policies import assess

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.change import Change
    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Plan
    from reconciler.core.run_selection import RunSelection
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from reconciler.policies.estate import Estate
    from reconciler.workflow.base import BaseComparison


def declared_edits(
    base: BaseComparison, organizations: Iterable[DesiredOrganization], selection: RunSelection
) -> tuple[Change, ...]:
    """Return what differs between the base and the present declarations, as changes from one to the other."""
    edits = (
        declared_edit(desired, _past_block(base, desired), organization)
        for organization in organizations
        if organization.reference in base.compared
        for desired in organization.connections
        if not desired.is_absent and selection.includes(desired.address)
    )
    return tuple(edit for edit in edits if edit is not None)


def with_base_risks(
    risks: Sequence[Diagnostic],
    edits: Sequence[Change],
    plan: Plan,
    severities: Mapping[str, str],
    estate: Estate,
) -> tuple[Diagnostic, ...]:
    """Return the risks of a plan, and those of the edits since the base that the plan does not have."""
    seen = {_identity(risk) for risk in risks}
    live = assess(_already_live(edits, plan), severities, estate)
    known_live = {_identity(risk) for risk in live}
    further = [
        with_words(risk, "already live" if _identity(risk) in known_live else "compared with the base")
        for risk in dict.fromkeys((*live, *assess(edits, severities, estate)))
        if _identity(risk) not in seen
    ]
    return tuple(sorted((*risks, *further), key=lambda risk: not risk.is_error))


def already_live(edits: Sequence[Change], plan: Plan) -> tuple[SignInChange, ...]:
    """Return the edits of attributes that decide who can sign in, and that live state already has."""
    return tuple(
        SignInChange(
            address=edit.address,
            attribute=name,
            before=getattr(edit.before, name),
            after=getattr(edit.declared, name),
            already_live=True,
            location=edit.location,
        )
        for edit in _already_live(edits, plan)
        if isinstance(edit, Update)
        for name in edit.changed
        if name in SIGN_IN_FIELDS
    )


def _already_live(edits: Sequence[Change], plan: Plan) -> tuple[Change, ...]:
    """Return the edits without the attributes that the plan changes, and without what was not read."""
    planned = {change.address: change for change in plan.changes}
    refused = {error.address.partition("/")[0] for error in plan.diagnostics if error.is_error}
    kept: list[Change] = []
    for edit in edits:
        change = planned.get(edit.address)
        if edit.address.organization in refused:
            continue
        if change is None:
            kept.append(edit)
        elif isinstance(change, Update) and isinstance(edit, Update):
            changed = tuple(name for name in edit.changed if name not in change.changed)
            before = replace(edit.before, **{name: getattr(edit.declared, name) for name in change.changed})
            kept += [replace(edit, before=before, changed=changed)] if changed else []
    return tuple(kept)


def declared_edit(
    desired: DesiredConnection, past: OidcConnection | None, organization: DesiredOrganization
) -> Change | None:
    """Return what differs between a past declaration and the present one, as a change to the latter."""
    organization_id = organization.organization_id or ""
    provider = desired.connection.identity_provider or DEFAULT_IDENTITY_PROVIDER
    declared = replace(desired.connection, connection_id=None)
    if past is None:
        return Create(
            address=desired.address,
            organization_id=organization_id,
            declared=replace(declared, identity_provider=provider),
            location=desired.location,
        )
    changed = tuple(
        name
        for name in WRITABLE_FIELDS
        if getattr(declared, name) is not None and getattr(declared, name) != getattr(past, name)
    )
    if not changed:
        return None
    return Update(
        address=desired.address,
        organization_id=organization_id,
        declared=declared,
        before=past.without_secret(),
        changed=changed,
        location=desired.location,
    )


def _past_block(base: BaseComparison, desired: DesiredConnection) -> OidcConnection | None:
    """Return what the base declared at an address, as far as it can be read; None if it declared nothing."""
    connections = base.organizations.get(desired.address.organization, {}).get("connections")
    block = connections.get(desired.address.connection) if isinstance(connections, dict) else None
    if block is None:
        return None
    values = block if isinstance(block, dict) else {}
    fields: dict[str, Any] = {name: _value(name, values.get(name)) for name in WRITABLE_FIELDS}
    return OidcConnection(**fields | {"display_name": fields["display_name"] or desired.address.connection})


def _value(name: str, value: object) -> object:
    match name, value:
        case "client_secret", SecretReference():
            return value
        case "custom_scopes", str() | list():
            scopes = value.split() if isinstance(value, str) else value
            return tuple(sorted({scope for scope in scopes if isinstance(scope, str)}))
        case "attribute_mapping", Mapping():
            return value
        case (("client_secret" | "custom_scopes" | "attribute_mapping"), _):
            return None
        case _, str():
            return value
        case _:
            return None


def _identity(risk: Diagnostic) -> tuple[str, str, str]:
    return risk.code, risk.address, risk.summary


def with_words(risk: Diagnostic, words: str) -> Diagnostic:
    """Return the risk with words before what it says of the address."""
    clause = risk.summary.removeprefix(f"{risk.address}: ")
    return replace(risk, summary=f"{risk.address}: {words}: {clause}")
