"""Decides which of several connections of one name stays, when runs have created them at the same time.

The problem: two runs that both find a name missing both create it. The API has no lock, no idempotency
key and no conditional write, and nothing but the API is shared.

The rule: every run raises its flag before it looks, that is, it compares only on a reading that lists its
own connection as it wrote it. So of two runs at least one sees the other's connection. All of them order
what they see alike: configured as declared before not configured, then the organization's default
connection, then the smaller id. The run behind withdraws, which is to delete what its own POST answered
with. The one ahead reads on; what is still there as declared after its wait belongs to a run that has
ended or died and will never withdraw, so the one ahead withdraws instead.

Why the one ahead gives way in the end: a run that saw nobody has finished and reported its connection,
and one that was killed cannot delete its own. If both withdraw, each begins anew, once. What no client
can close: a run that is killed between its PUT and the end of its wait may leave two.

`tests/core/test_withdrawal_model.py` tries all interleavings of these decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.diff import changed_fields

if TYPE_CHECKING:
    from reconciler.core.change import Create
    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.state import LiveOrganization


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConnection:
    """The connection that a run writes.

    ``can_withdraw``: the run's own POST answered with it, and the service has not refused to delete it.
    A connection that was adopted is never deleted.
    """

    connection_id: str
    can_withdraw: bool


@dataclass(frozen=True, slots=True)
class Keep:
    """The run's own connection stays; ``leftovers`` are untouched pending ones of the same name."""

    leftovers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be decided on this reading; read again."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The run deletes its own connection, because ``preferred`` stays."""

    preferred: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The run's own connection is gone, or is not its own to delete; another one may take its place."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A person has to decide: others of the same name stay, or fields of the own one were ``edited``."""

    ids: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()


Decision = Keep | Wait | Withdraw | Leave | Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """The connections that have a declared name and that no other declaration manages.

    ``complete`` are configured as declared, ``untouched`` not at all, ``different`` otherwise. A
    declaration without an issuer can be complete and untouched; it counts as complete.
    """

    complete: tuple[OidcConnection, ...] = ()
    untouched: tuple[OidcConnection, ...] = ()
    different: tuple[OidcConnection, ...] = ()

    @property
    def all(self) -> tuple[OidcConnection, ...]:
        """All of them."""
        return (*self.complete, *self.untouched, *self.different)


def find_duplicates(change: Create, live: LiveOrganization, secrets: Secrets, own_id: str = "") -> Duplicates:
    """Return the connections of the declared name, without the run's own one."""
    groups: dict[str, list[OidcConnection]] = {"complete": [], "untouched": [], "different": []}
    for connection in live.connections:
        is_known = connection.connection_id in {own_id, *change.same_name_ids}
        if connection.display_name == change.declared.display_name and not is_known:
            groups[_group(change, connection, secrets)].append(connection)
    return Duplicates(**{name: tuple(connections) for name, connections in groups.items()})


def decide_before_update(
    change: Create, live: LiveOrganization, own: OwnConnection, secrets: Secrets
) -> Decision:
    """Decide whether a run may still configure its own pending connection; Keep: it may.

    This is asked only where the run was held up, so that another one may have finished.
    """
    current = live.connection(own.connection_id)
    duplicates = find_duplicates(change, live, secrets, own.connection_id)
    if duplicates.different:
        return Conflict(ids=_ids(duplicates.different))
    if current is not None and not _is_as_written(change, current, secrets):
        return Conflict(edited=changed_fields(change.declared, current, secrets))
    is_configured = current is not None and not changed_fields(change.declared, current, secrets)
    if is_configured or not duplicates.complete:  # configured by another run: compare after the update
        return Keep()
    return Withdraw(_first(duplicates.complete, live)) if own.can_withdraw else Leave()


def decide_after_update(
    change: Create, live: LiveOrganization, own: OwnConnection, secrets: Secrets, *, is_last: bool
) -> Decision:
    """Compare the run's own connection with others of its name; ``is_last``: its wait is over.

    ``live.organization`` has to be as fresh as its connections if there are others.
    """
    current = live.connection(own.connection_id)
    if current is None:
        return Leave() if is_last and not own.can_withdraw else Wait()
    duplicates = find_duplicates(change, live, secrets, own.connection_id)
    if edited := changed_fields(change.declared, current, secrets):
        # what was never configured, or is not seen to be, is a create to be judged again
        return Leave() if current.is_unconfigured else Conflict(ids=_ids(duplicates.all), edited=edited)
    if duplicates.complete:
        return _decide_between(current, duplicates, live, own, is_last=is_last)
    return _decide_alone(duplicates, is_last=is_last)


def _decide_alone(duplicates: Duplicates, *, is_last: bool) -> Decision:
    """Decide where no other connection is configured as declared."""
    if duplicates.different:
        return Conflict(ids=_ids(duplicates.different))
    if duplicates.untouched and not is_last:
        return Wait()
    return Keep(leftovers=_ids(duplicates.untouched))


def _decide_between(
    current: OidcConnection,
    duplicates: Duplicates,
    live: LiveOrganization,
    own: OwnConnection,
    *,
    is_last: bool,
) -> Decision:
    """Decide where other connections are configured as declared, too."""
    is_ahead = _first((current, *duplicates.complete), live) == own.connection_id
    if own.can_withdraw and (is_last or not is_ahead):
        return Withdraw(_first(duplicates.complete, live))
    return Conflict(ids=_ids(duplicates.complete)) if is_last else Wait()


def _first(connections: tuple[OidcConnection, ...], live: LiveOrganization) -> str:
    """Return the id of the one that stays: the organization's default connection, or the smallest id."""
    default = live.organization.default_connection_id
    ids = [connection.connection_id or "" for connection in connections]
    return min(ids, key=lambda connection_id: (connection_id != default, connection_id))


def _group(change: Create, connection: OidcConnection, secrets: Secrets) -> str:
    if not changed_fields(change.declared, connection, secrets):
        return "complete"
    return "untouched" if connection.is_unconfigured else "different"


def _is_as_written(change: Create, connection: OidcConnection, secrets: Secrets) -> bool:
    return connection.is_unconfigured or not changed_fields(change.declared, connection, secrets)


def _ids(connections: tuple[OidcConnection, ...]) -> tuple[str, ...]:
    return tuple(sorted(connection.connection_id or "" for connection in connections))
