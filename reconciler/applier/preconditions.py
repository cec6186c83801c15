"""Checks the live state between the requests of an operation, and stops it after a concurrent change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applier.errors import ConcurrentChange, DidNotConverge
from reconciler.applier.read_back import same_name
from reconciler.core.diff import changed_fields
from reconciler.core.operation import Stale, judge

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.core.change import Create, Delete
    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.state import LiveOrganization


def get_listed(live: LiveOrganization, connection_id: str) -> OidcConnection:
    """Return a connection that must exist.

    Raises:
        DidNotConverge: it is not listed.
    """
    connection = live.connection(connection_id)
    if connection is None:
        raise DidNotConverge(
            f"did not converge: {connection_id} is not listed; someone deleted it, or the list lags: "
            "wait a while before planning again"
        )
    return connection


def check_unchanged(before: OidcConnection, live: LiveOrganization) -> None:
    """Check that an update which had to wait still finds the connection as it was.

    Raises:
        ConcurrentChange: someone else changed the connection in the meantime.
    """
    current = live.connection(before.connection_id or "")
    if current is None:  # the list lags, or it was deleted, which the update itself will show
        return
    altered = _altered_fields(before, current)
    if altered:
        raise ConcurrentChange(
            f"changed since the plan: while the update waited for the rate limit, someone else changed "
            f"{altered} of {current.connection_id}; nothing was overwritten, plan again"
        )


def check_no_effect(before: OidcConnection, current: OidcConnection) -> None:
    """Check that an update whose answer was lost had no effect, so that it can be sent again.

    Raises:
        ConcurrentChange: the connection is neither as it was nor as declared.
    """
    altered = _altered_fields(before, current)
    if altered:
        raise ConcurrentChange(
            f"the response to the update was lost, and {altered} of {current.connection_id} changed "
            "to something that is not declared: someone else is writing, or the service altered what it "
            "was sent; plan again"
        )


def check_not_created(live: LiveOrganization, display_name: str, known: Collection[str]) -> None:
    """Check that nobody has created the connection while the create had to wait.

    Raises:
        ConcurrentChange: a connection of that name exists now.
    """
    created = same_name(live, display_name, known)
    if created:
        raise ConcurrentChange(
            f"changed since the plan: while the create waited for the rate limit, {created[0].connection_id} "
            "of that name appeared; nothing was created, plan again"
        )


def check_not_configured(change: Create, created: OidcConnection, secrets: Secrets) -> None:
    """Check that what appeared while a create got no answer is what that create left behind.

    Raises:
        ConcurrentChange: it is neither empty nor as declared.
    """
    differing = changed_fields(change.declared, created, secrets)
    if differing and not created.is_unconfigured:
        raise ConcurrentChange(
            f"{created.connection_id} of that name appeared, and someone else set its "
            f"{', '.join(differing)}: it was left alone, plan again"
        )


def check_duplicates(live: LiveOrganization, created: OidcConnection, known: Collection[str]) -> None:
    """Check that nobody else created the same connection in the meantime.

    Raises:
        ConcurrentChange: there is another one of that name whose id is not known.
    """
    connection_id = created.connection_id or ""
    duplicates = same_name(live, created.display_name or "", {*known, connection_id})
    if duplicates:
        ids = ", ".join(sorted(duplicate.connection_id or "" for duplicate in duplicates))
        raise ConcurrentChange(
            f"created {connection_id}, but {ids} of the same name appeared in the meantime, from another run "
            "or from a create whose response was lost; delete the wrong one, or pin the right one"
        )


def check_still_planned(change: Delete, live: LiveOrganization, secrets: Secrets, situation: str) -> None:
    """Check that a delete still finds what the plan saw; ``situation`` says why this had to be asked.

    Raises:
        ConcurrentChange: the connection was edited, or must not be deleted any more.
    """
    verdict = judge(change, live, secrets)
    if isinstance(verdict, Stale):
        raise ConcurrentChange(f"{situation}: {verdict.reason}; it was left alone, plan again")


def _altered_fields(before: OidcConnection, current: OidcConnection) -> str:
    altered = [name for name in before.declared_fields if getattr(before, name) != getattr(current, name)]
    return ", ".join(altered)
