"""Checks the live state between the requests of an operation, and stops it after a concurrent change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.applier.errors import ConcurrentChange, NotListed, Overtaken
from reconciler.core.diff import changed_fields
from reconciler.core.operation import Proceed, Stale, judge

if TYPE_CHECKING:
    from reconciler.core.change import Create, Delete
    from reconciler.core.connection import OidcConnection
    from reconciler.core.diff import Secrets
    from reconciler.core.state import LiveOrganization


def get_listed(live: LiveOrganization, connection_id: str) -> OidcConnection:
    """Return a connection that must exist.

    Raises:
        NotListed: it is not.
    """
    connection = live.connection(connection_id)
    if connection is None:
        raise NotListed(
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
            f"changed since the plan: while the update waited, someone else changed "
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


def check_not_overtaken(change: Create, secrets: Secrets, live: LiveOrganization) -> None:
    """Check that nobody has created the connection while the create had to wait.

    Raises:
        Overtaken: there is something of its name now.
    """
    if judge(change, live, secrets) != Proceed():
        raise Overtaken("another run has begun to create it")


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
