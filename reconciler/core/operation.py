"""Turns a plan into operations, and checks each one against fresh state before it runs.

The problem: a plan is old by the time it is applied. It may have waited for an approval, another run
may be writing, or an earlier attempt of the same run may have succeeded although its response was lost.

The rule: before every operation the organization is read again, and `judge` compares three states.

- what the plan saw (``before``): if that is still there, the operation proceeds;
- what the operation wants (``declared``): if that is there already, nothing needs to be done;
- anything else is somebody's work that no plan has shown; the plan is stale, and nothing is written.

Why in this form: it makes every operation safe to repeat. A run that was killed anywhere is resumed
by planning and applying again, and a saved plan that is applied twice does nothing the second time.

Creates and updates run first and deletes last, so that a replacement exists before the connection
that it replaces is deleted; between them another connection becomes the organization's default. The
default connection of an organization is deleted last of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from reconciler.core.change import Create, DefaultChange, Delete, Update
from reconciler.core.connection import INFERRED_FIELDS, MASKED, WRITABLE_FIELDS, Status
from reconciler.core.diff import changed_fields, uncomparable_fields
from reconciler.core.guards import reason_to_keep
from reconciler.core.withdrawal import find_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.change import Change
    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.state import LiveOrganization


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
    """The live state is neither; the operation must not run."""

    reason: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """Other runs may be creating the same connection right now; read again before giving up."""

    reason: str


Verdict = Proceed | AlreadyDone | Stale | Undecided


def to_operations(changes: Iterable[Change]) -> tuple[tuple[Change, ...], ...]:
    """Group changes by organization, deletes last in each group.

    Groups may run in parallel, the changes of one group only one after the other.
    """
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.organization_id, []).append(change)
    return tuple(tuple(sorted(group, key=_rank)) for group in groups.values())


def _rank(change: Change) -> int:
    return 2 if isinstance(change, Delete) else int(isinstance(change, DefaultChange))


def values_to_send(declared: OidcConnection, changed: Sequence[str]) -> OidcConnection:
    """Return the fields that an update must send.

    Only what differs; but all declared URLs are sent along with a new issuer, or the server's
    discovery would overwrite them (rule C6).
    """
    names = set(changed)
    if "issuer" in names:
        names |= {name for name in INFERRED_FIELDS if getattr(declared, name) is not None}
    return declared.only(tuple(name for name in WRITABLE_FIELDS if name in names))


def with_secret(values: OidcConnection, secrets: Secrets) -> OidcConnection:
    """Return the values with the secret in place of its reference.

    Raises:
        KeyError: the reference was not resolved; the workflow resolves all before the first write.
    """
    reference = values.client_secret
    if reference is None:
        return values
    return replace(values, client_secret=secrets[reference])  # type: ignore[index]  # declared values hold references only


def judge(change: Change, live: LiveOrganization, secrets: Secrets) -> Verdict:
    """Compare what the plan saw with fresh state: may the change be applied now?"""
    match change:
        case Create():
            return _judge_create(change, live, secrets)
        case Update():
            return _judge_update(change, live, secrets)
        case Delete():
            return _judge_delete(change, live)
        case DefaultChange():
            return _judge_default(change, live)
        case _:
            assert_never(change)


def _judge_create(change: Create, live: LiveOrganization, secrets: Secrets) -> Verdict:
    """Judge a create by the connections of its name: done, unfinished, not ours, or being created."""
    same_name = find_duplicates(change, live, secrets)
    if same_name.different:
        reason = "a connection of that name has appeared"
        return Stale(f"{reason}: {_ids(same_name.all)}")
    if len(same_name.complete) == 1:
        return AlreadyDone(same_name.complete[0])
    if len(same_name.all) > 1:
        return Undecided(
            f"there are now {len(same_name.all)} connections of that name: {_ids(same_name.all)}"
        )
    if not same_name.untouched:
        return (
            Stale("the unfinished connection that was to be resumed is gone") if change.resumes else Proceed()
        )
    (unfinished,) = same_name.untouched
    if change.resumes and unfinished.connection_id != change.resumes.connection_id:
        return Stale(f"another connection has that name now: {unfinished.connection_id}")
    return Proceed(unfinished.connection_id)


def _ids(connections: Sequence[OidcConnection]) -> str:
    return ", ".join(sorted(connection.connection_id or "" for connection in connections))


def _judge_update(change: Update, live: LiveOrganization, secrets: Secrets) -> Verdict:
    current = live.connection(change.before.connection_id or "")
    if current is None:
        return Stale("the connection no longer exists")
    remaining = changed_fields(change.declared, current, secrets)
    sends_secret = "client_secret" in change.changed
    rotates_masked_secret = sends_secret and uncomparable_fields(change.declared, current, secrets)
    if not remaining and not rotates_masked_secret:
        return AlreadyDone(current)
    altered = _altered_fields(change.before, current)
    if "client_secret" in remaining and not sends_secret:
        altered = (*altered, "client_secret")
    if altered:
        return Stale(f"someone else changed {', '.join(altered)}")
    return Proceed(current.connection_id)


def _judge_delete(change: Delete, live: LiveOrganization) -> Verdict:
    connection_id = change.before.connection_id or ""
    current = live.connection(connection_id)
    if current is None:
        return AlreadyDone()
    altered = _altered_fields(change.before, current)
    if altered:
        return Stale(f"someone else changed {', '.join(altered)}")
    reason = reason_to_keep(connection_id, {connection_id}, live)
    return Stale(reason[1]) if reason else Proceed(connection_id)


def _judge_default(change: DefaultChange, live: LiveOrganization) -> Verdict:
    """Judge with the organization read again. One without a default may have got one from the service."""
    connection = new_default(change, live)
    if connection is None:
        return Stale(f"there is not exactly one connection {change.display_name!r} to make the default")
    default = live.organization.default_connection_id
    if default == connection.connection_id:
        return AlreadyDone(connection)
    if default != change.before_id and change.before_id:
        return Stale(f"the default connection is {default or 'none'} now, and no longer {change.before_id}")
    if connection.status != Status.ACTIVE:
        return Stale(f"{connection.connection_id} is not active, and cannot become the default connection")
    return Proceed(connection.connection_id)


def new_default(change: DefaultChange, live: LiveOrganization) -> OidcConnection | None:
    """Return the connection that is to become the default, if there is exactly one that it may be."""
    if change.connection_id:
        return live.connection(change.connection_id)
    named = [connection for connection in live.connections if connection.display_name == change.display_name]
    return named[0] if len(named) == 1 else None


def _altered_fields(before: OidcConnection, current: OidcConnection) -> tuple[str, ...]:
    """Name the fields that differ from the plan's; a masked value of the plan cannot be compared."""
    return tuple(
        name
        for name in WRITABLE_FIELDS
        if name != "client_secret"
        and getattr(before, name) != getattr(current, name)
        and MASKED not in str(getattr(before, name))
    )
