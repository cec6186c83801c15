"""What a reading may show that stops an operation, although no call has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applier.settling import Unsettled, twins
from reconciler.core.diff import changed_fields
from reconciler.core.operation import Stale, judge

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.applier.settling import Secrets
    from reconciler.core.change import Create, Delete
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import LiveOrganization


def listed(live: LiveOrganization, connection_id: str) -> OidcConnection:
    """Return a connection that must be there.

    Raises:
        Unsettled: it is not.
    """
    found = live.connection(connection_id)
    if found is None:
        raise Unsettled(
            f"did not converge: {connection_id} is not listed; somebody deleted it, or the list lags: "
            "wait a while before planning again"
        )
    return found


def refuse_if_altered(before: OidcConnection, found: OidcConnection) -> None:
    """Make sure that an update whose answer was lost had no effect, so that it can be sent again.

    Raises:
        Unsettled: the connection is neither as it was nor as declared.
    """
    altered = [name for name in before.declared_fields if getattr(before, name) != getattr(found, name)]
    if altered:
        raise Unsettled(
            f"the answer to the update was lost, and {', '.join(altered)} of {found.connection_id} changed "
            "otherwise than declared: somebody else is writing, or the service altered what it was sent; "
            "plan again"
        )


def refuse_if_interfered(before: OidcConnection, live: LiveOrganization) -> None:
    """Make sure that an update which had to wait still finds the connection as it was.

    Raises:
        Unsettled: somebody has written meanwhile.
    """
    found = live.connection(before.connection_id or "")
    if found is None:  # the list lags, or it is gone, which the update itself will tell
        return
    altered = [name for name in before.declared_fields if getattr(before, name) != getattr(found, name)]
    if altered:
        raise Unsettled(
            f"changed since the plan: while the service let the update wait, somebody else has changed "
            f"{', '.join(altered)} of {found.connection_id}; nothing was overwritten, plan again"
        )


def refuse_if_appeared(live: LiveOrganization, display_name: str, known: Collection[str]) -> None:
    """Make sure that nobody has created the connection while the create had to wait.

    Raises:
        Unsettled: there is one of that name now.
    """
    found = twins(live, display_name, known)
    if found:
        raise Unsettled(
            f"changed since the plan: while the service let the create wait, {found[0].connection_id} of "
            "that name appeared; nothing was created, plan again"
        )


def refuse_if_not_planned(change: Delete, live: LiveOrganization, secrets: Secrets) -> None:
    """Make sure that a delete which had to wait still finds what the plan saw.

    Raises:
        Unsettled: it does not.
    """
    verdict = judge(change, live, secrets)
    if isinstance(verdict, Stale):
        raise Unsettled(
            f"changed since the plan: while the service let the delete wait, {verdict.reason}; it was left "
            "alone, plan again"
        )


def refuse_if_moved_on(change: Delete, live: LiveOrganization, secrets: Secrets) -> None:
    """Make sure, before a delete whose answer was lost is sent again, that it still is what was planned.

    Raises:
        Unsettled: the connection is not what the plan saw, or must be kept by now.
    """
    verdict = judge(change, live, secrets)
    if isinstance(verdict, Stale):
        raise Unsettled(
            f"the answer to the delete was lost, and {change.before.connection_id} is no longer what the "
            f"plan saw: {verdict.reason}; it was left alone, plan again"
        )


def refuse_if_filled_in(change: Create, found: OidcConnection, secrets: Secrets) -> None:
    """Make sure that what appeared while a create got no answer is what that create left behind.

    Raises:
        Unsettled: it is neither empty nor as declared.
    """
    differing = changed_fields(change.declared, found, secrets)
    if differing and not found.is_unconfigured:
        raise Unsettled(
            f"{found.connection_id} of that name appeared, and somebody else has set its "
            f"{', '.join(differing)}: it was left alone, plan again"
        )


def report_twins(live: LiveOrganization, mine: OidcConnection, known: Collection[str]) -> None:
    """Make sure that nobody else has created the same meanwhile.

    Raises:
        Unsettled: there is another one of that name, which is not among the known ids.
    """
    created = mine.connection_id or ""
    others = twins(live, mine.display_name or "", {*known, created})
    if others:
        ids = ", ".join(sorted(one.connection_id or "" for one in others))
        raise Unsettled(
            f"created {created}, but {ids} of the same name appeared meanwhile, from another run or from a "
            "create whose answer was lost; delete what is not meant, or pin the one that is"
        )
