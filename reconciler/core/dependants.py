"""Who depends on a connection that is to be deleted, as far as the run has read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Delete
from reconciler.core.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.live import LiveOrganization, Organization

    Borrowers = Mapping[str, Sequence[str]]


def provisioning_warnings(changes: Iterable[Change], organization: Organization) -> Iterator[Diagnostic]:
    """Yield a warning for each delete of a connection that the organization's JIT list names."""
    for change in changes:
        if isinstance(change, Delete) and change.before.connection_id in organization.jit_connection_ids:
            yield _warning(
                change,
                "delete-jit",
                f"{change.address} is in its organization's list of connections that provision members (JIT)",
                "once it is deleted, nobody new is let in through it; make sure that the list names another "
                "one if somebody shall be",
            )


def borrowed(live: LiveOrganization) -> Iterator[tuple[str, str]]:
    """Yield the connections of others that an organization's External connections point at, and by which."""
    name = live.organization.slug or live.organization.organization_id
    for one in live.foreign:
        if one.external_connection_id:
            yield one.external_connection_id, f"{name} ({one.connection_id})"


def borrowing_warnings(changes: Iterable[Change], borrowers: Borrowers) -> Iterator[Diagnostic]:
    """Yield a warning for each delete of a connection that other organizations log in through.

    ``borrowers`` maps connection ids to who points at them, see `borrowed`.
    """
    for change in changes:
        users = borrowers.get(change.before.connection_id or "") if isinstance(change, Delete) else None
        if users:
            yield _warning(
                change,
                "delete-external",
                f"{change.address} is what External connections of others use: {', '.join(sorted(users))}",
                "once it is deleted, nobody can log in through those; organizations that this run did not "
                "read may use it too",
            )


def _warning(change: Change, code: str, summary: str, detail: str) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING, code, summary, detail=detail, address=str(change.address), location=change.location
    )
