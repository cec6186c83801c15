"""Plans which connection of an organization becomes its default connection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.address import Address
from reconciler.core.change import DefaultChange, Delete
from reconciler.core.connection import REQUIRED_TO_BECOME_ACTIVE, Status
from reconciler.core.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.core.change import Change
    from reconciler.core.matching import Pair
    from reconciler.core.state import LiveOrganization

    Planned = tuple[DefaultChange | None, tuple[Diagnostic, ...]]


def plan_default(
    pairs: Sequence[Pair],
    live: LiveOrganization,
    changes: Sequence[Change],
    is_targeted: Callable[[Address], bool],
) -> Planned:
    """Return the change that makes the declared default so; a warning instead if it stays pending.

    Where no connection is declared as the default, nothing is changed.
    """
    pair = next((pair for pair in pairs if pair.desired.is_default), None)
    if pair is None:
        return None, ()
    address = Address(pair.desired.address.organization, "")
    before = live.organization.default_connection_id
    connection_id = (pair.live.connection_id or "") if pair.live else ""
    if not is_targeted(address) or connection_id == (before or None):
        return None, ()
    if not _becomes_active(pair, changes):
        return None, (_stays_pending(pair),)
    current = live.connection(before)
    others = {other.connection_id: other.display_name for other in live.other_connections}
    change = DefaultChange(
        address=address,
        organization_id=live.organization.organization_id,
        connection=pair.desired.address.connection,
        display_name=pair.desired.connection.display_name or "",
        connection_id=connection_id,
        before_id=before,
        before_name=(current.display_name or "") if current else others.get(before, ""),
        location=pair.desired.location,
    )
    return change, ()


def after_default(live: LiveOrganization, change: DefaultChange | None) -> LiveOrganization:
    """Return the live state as the change leaves it, which guards of deletes look at."""
    if change is None:
        return live
    return replace(live, organization=replace(live.organization, default_connection_id=change.connection_id))


def with_default(changes: Sequence[Change], change: DefaultChange | None) -> tuple[Change, ...]:
    """Return all changes in order: the default after creates and updates, and before deletes."""
    if change is None:
        return tuple(changes)
    deletes = [planned for planned in changes if isinstance(planned, Delete)]
    return (*(planned for planned in changes if not isinstance(planned, Delete)), change, *deletes)


def _becomes_active(pair: Pair, changes: Sequence[Change]) -> bool:
    """Whether the connection is active, or the run completes it."""
    if pair.live is not None and pair.live.status == Status.ACTIVE:
        return True
    is_changed = any(change.address == pair.desired.address for change in changes)
    known = (pair.desired.connection, pair.live)
    return is_changed and all(
        any(connection and getattr(connection, name) for connection in known)
        for name in REQUIRED_TO_BECOME_ACTIVE
    )


def _stays_pending(pair: Pair) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "default-pending",
        f"{pair.desired.address} is the declared default connection, but will not be active after this run",
        detail="only an active connection can be the default; until then, the present default stays",
        hint="declare what is missing, or include it in the run",
        address=str(pair.desired.address),
        location=pair.desired.location,
    )
