"""Plan → the operations that carry it out, in order, each with what it relies on.

Creates and updates come first and deletes last, so that a replacement exists before what it
replaces goes, and within an organization its default connection is the last to go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from reconciler.core.change import Create, Delete, Update
from reconciler.core.connection import INFERRED_FIELDS, WRITABLE_FIELDS
from reconciler.core.diff import changed_fields, uncomparable_fields
from reconciler.core.guards import reason_to_keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import LiveOrganization

    Secrets = Mapping[SecretReference, Secret]


@dataclass(frozen=True, slots=True)
class Proceed:
    """The live state is still what the plan saw; ``connection_id`` is what to write to, if known."""

    connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The live state already is what the operation wants."""

    connection: OidcConnection | None = None


@dataclass(frozen=True, slots=True)
class Stale:
    """The live state is neither; the operation must not be carried out."""

    reason: str


Verdict = Proceed | AlreadyDone | Stale


def to_operations(changes: Iterable[Change]) -> tuple[tuple[Change, ...], ...]:
    """Group changes by organization, deletes last in each group.

    Groups may be carried out at once, the changes of one group only one after the other.
    """
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.organization_id, []).append(change)
    return tuple(tuple(sorted(group, key=_is_delete)) for group in groups.values())


def values_to_send(declared: OidcConnection, changed: Sequence[str]) -> OidcConnection:
    """Return the fields that an update must send.

    Only what differs; but with a new issuer go all declared URLs, or the server's discovery would
    overwrite them (rule C6).
    """
    names = set(changed)
    if "issuer" in names:
        names |= {name for name in INFERRED_FIELDS if getattr(declared, name) is not None}
    return declared.only(tuple(name for name in WRITABLE_FIELDS if name in names))


def with_secret(values: OidcConnection, secrets: Secrets) -> OidcConnection:
    """Return the values with the secret in the place of its reference.

    Raises:
        KeyError: the reference was not resolved; the workflow resolves all before the first write.
    """
    reference = values.client_secret
    return values if reference is None else replace(values, client_secret=secrets[reference])  # type: ignore[index]  # declared values hold references only


def judge(change: Change, live: LiveOrganization, secrets: Secrets) -> Verdict:
    """Compare what the plan saw with fresh state: may the change be carried out now?"""
    match change:
        case Create():
            return _judge_create(change, live, secrets)
        case Update():
            return _judge_update(change, live, secrets)
        case Delete():
            return _judge_delete(change, live)
        case _:
            assert_never(change)


def _is_delete(change: Change) -> bool:
    return isinstance(change, Delete)


def _judge_create(change: Create, live: LiveOrganization, secrets: Secrets) -> Verdict:
    name = change.declared.display_name
    twins = [
        one
        for one in live.connections
        if one.display_name == name and one.connection_id not in change.same_name_ids
    ]
    if not twins:
        return (
            Stale("the unfinished connection that was to be resumed is gone") if change.resumes else Proceed()
        )
    if len(twins) > 1:
        ids = ", ".join(sorted(one.connection_id or "" for one in twins))
        return Stale(f"there are now {len(twins)} connections of that name: {ids}")
    if not changed_fields(change.declared, twins[0], secrets):
        return AlreadyDone(twins[0])
    if change.resumes and twins[0].connection_id != change.resumes.connection_id:
        return Stale(f"another connection has that name now: {twins[0].connection_id}")
    if twins[0].is_unconfigured:
        return Proceed(twins[0].connection_id)
    return Stale(f"a connection of that name has appeared: {twins[0].connection_id}")


def _judge_update(change: Update, live: LiveOrganization, secrets: Secrets) -> Verdict:
    found = live.connection(change.before.connection_id or "")
    if found is None:
        return Stale("the connection is gone")
    remaining = changed_fields(change.declared, found, secrets)
    if not remaining and not _must_send_blindly(change, found, secrets):
        return AlreadyDone(found)
    altered = _altered(change.before, found)
    if "client_secret" in remaining and "client_secret" not in change.changed:
        altered = (*altered, "client_secret")
    if altered:
        return Stale(f"somebody else has changed {', '.join(altered)}")
    return Proceed(found.connection_id)


def _must_send_blindly(change: Update, found: OidcConnection, secrets: Secrets) -> bool:
    return "client_secret" in change.changed and bool(uncomparable_fields(change.declared, found, secrets))


def _judge_delete(change: Delete, live: LiveOrganization) -> Verdict:
    connection_id = change.before.connection_id or ""
    found = live.connection(connection_id)
    if found is None:
        return AlreadyDone()
    altered = _altered(change.before, found)
    if altered:
        return Stale(f"somebody else has changed {', '.join(altered)}")
    reason = reason_to_keep(connection_id, {connection_id}, live)
    return Stale(reason[1]) if reason else Proceed(connection_id)


def _altered(before: OidcConnection, found: OidcConnection) -> tuple[str, ...]:
    return tuple(
        name
        for name in WRITABLE_FIELDS
        if name != "client_secret" and getattr(before, name) != getattr(found, name)
    )
