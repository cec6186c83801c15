"""A service in a few lines: what is live after operations, were there no network and no failures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.core.change import Create, DefaultChange, Delete, Update
from reconciler.core.connection import INFERRED_FIELDS, WRITABLE_FIELDS, OidcConnection
from reconciler.core.diff import changed_fields
from reconciler.core.operation import (
    AlreadyDone,
    Proceed,
    judge,
    new_default,
    to_operations,
    values_to_send,
    with_secret,
)
from tests.support.values import live_connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.change import Change
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import LiveOrganization

    Secrets = Mapping[SecretReference, Secret]


def carry_out(changes: Iterable[Change], state: LiveOrganization, secrets: Secrets) -> LiveOrganization:
    """Carry out every change; each must still be possible, as nobody else has written anything."""
    for group in to_operations(changes):
        for change in group:
            verdict = judge(change, state, secrets)
            assert isinstance(verdict, Proceed), verdict
            state = _carry_out(change, state, secrets)
            assert isinstance(judge(change, state, secrets), AlreadyDone) or _is_sent_blindly(change)
    return state


def _carry_out(change: Change, state: LiveOrganization, secrets: Secrets) -> LiveOrganization:
    match change:
        case Create(resumes=None):
            fresh = live_connection(_new_number(state), status="pending")
            return _complete(change, fresh, replace(state, connections=(*state.connections, fresh)), secrets)
        case Create(resumes=resumed):
            assert resumed is not None
            live = state.connection(resumed.connection_id or "")
            assert live is not None
            return _complete(change, live, state, secrets)
        case Update():
            live = state.connection(change.before.connection_id or "")
            assert live is not None
            values = values_to_send(change.declared, change.changed)
            return _with(state, _updated(live, with_secret(values, secrets)))
        case DefaultChange():
            default = new_default(change, state)
            assert default is not None
            organization = replace(state.organization, default_connection_id=default.connection_id or "")
            return replace(state, organization=organization)
        case Delete():
            gone = change.before.connection_id
            rest = tuple(connection for connection in state.connections if connection.connection_id != gone)
            return replace(state, connections=rest)


def _complete(
    change: Create, fresh: OidcConnection, state: LiveOrganization, secrets: Secrets
) -> LiveOrganization:
    changed = changed_fields(change.declared, fresh, secrets)
    values = with_secret(values_to_send(change.declared, changed), secrets)
    return _with(state, _updated(fresh, values))


def _updated(live: OidcConnection, values: OidcConnection) -> OidcConnection:
    sent: dict[str, Any] = {name: getattr(values, name) for name in values.declared_fields}
    if "issuer" in sent:
        inferred = {name: f"{values.issuer} {name}" for name in INFERRED_FIELDS}
        sent = inferred | sent
    after = replace(live, **sent)
    is_full = all(getattr(after, name) for name in WRITABLE_FIELDS[2:9])
    return replace(after, status="active" if is_full else after.status)


def _with(state: LiveOrganization, changed: OidcConnection) -> LiveOrganization:
    return replace(
        state,
        connections=tuple(
            changed if connection.connection_id == changed.connection_id else connection
            for connection in state.connections
        ),
    )


def _new_number(state: LiveOrganization) -> int:
    taken = {connection.connection_id for connection in state.connections}
    return next(one for one in range(100, 1000) if f"oidc-connection-test-{one}" not in taken)


def _is_sent_blindly(change: Change) -> bool:
    return isinstance(change, Update) and "client_secret" in change.changed
