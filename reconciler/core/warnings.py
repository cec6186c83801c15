"""Warnings about planned changes that are allowed but may be unexpected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Delete, NoOp, Update
from reconciler.core.connection import INFERRED_FIELDS, REQUIRED_TO_BECOME_ACTIVE, Status
from reconciler.core.errors import Diagnostic, Severity, count, shell_word
from reconciler.core.matching import leftover_line
from reconciler.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from reconciler.core.change import Change, Decision
    from reconciler.core.codes import Code
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredConnection, LiveOrganization, Organization

NOT_COMPARABLE: Final = "secret-not-comparable"
"""The code of the warning that the service hides a declared secret."""

EXPIRY_WARNINGS: Final = (1, 7, 30, 60)
"""Days before ``secret_expires_on`` at which the wording of the warning changes."""


def decision_warnings(
    desired: DesiredConnection,
    decision: Decision | None,
    today: date | None = None,
    live: OidcConnection | None = None,
) -> Iterator[Diagnostic]:
    """Yield warnings about the decision for one declaration; None: there was nothing to decide.

    ``live`` is the connection that it was matched with.
    """
    if today is not None and desired.is_present:
        yield from _expiry_warnings(desired, today)
        yield from expiry_differences(desired)
    if isinstance(decision, Create):
        yield from _pending_warnings(desired)
    elif isinstance(decision, NoOp | Update) and live is not None:
        yield from _still_pending_warnings(desired, live, changes=isinstance(decision, Update))
    if isinstance(decision, NoOp | Update) and decision.uncomparable:
        yield _warning(
            desired,
            NOT_COMPARABLE,
            f"client_secret of {desired.address} cannot be compared: the service masks it or leaves it out",
            f"to send it again, add the option `--rotate {shell_word(str(desired.address))}`",
        )
    if decision is None:
        yield _warning(
            desired,
            "already-deleted",
            f"{desired.address} no longer exists: its `state: absent` block can be removed",
            "the connection was deleted earlier, so the block has no further effect",
        )


def gone_warnings(declarations: Iterable[DesiredConnection]) -> Iterator[Diagnostic]:
    """Yield a warning for each connection with ``state: unmanaged`` that has an id here, and is not live."""
    for desired in declarations:
        if desired.connection.connection_id is not None:
            yield _warning(
                desired,
                "unmanaged-not-live",
                f"{desired.address} no longer exists: its `state: unmanaged` block can be removed",
                "the connection that it leaves alone is not live, so the block has no further effect",
            )


def jit_warnings(changes: Iterable[Change], organization: Organization) -> Iterator[Diagnostic]:
    """Yield a warning for each delete of a connection that provisions members just in time."""
    for change in changes:
        if isinstance(change, Delete) and change.before.connection_id in organization.jit_connection_ids:
            yield _warning(
                change,
                "delete-jit",
                f"{change.address} is in its organization's list of connections that provision members (JIT)",
                "once it is deleted, it admits no new members; add another connection to the list if needed",
            )


def leftover_warnings(leftovers: Mapping[str, DesiredConnection]) -> Iterator[Diagnostic]:
    """Yield a warning for each connection that an interrupted create left beside the one made instead."""
    for connection_id, desired in leftovers.items():
        line = leftover_line(connection_id, desired.address.connection)
        yield _warning(
            desired,
            "leftover",
            f"an interrupted create of {desired.address} left {connection_id} behind, pending and untouched",
            f"to delete it, add the line {line} below `connections:`",
        )


def external_use_warnings(
    changes: Iterable[Change], organizations: Iterable[LiveOrganization]
) -> Iterator[Diagnostic]:
    """Yield a warning for each delete of a connection that other organizations log in through.

    Only the organizations that the run has read are known.
    """
    users = _external_users(organizations)
    for change in changes:
        if isinstance(change, Delete) and (names := users.get(change.before.connection_id or "")):
            yield _warning(
                change,
                "delete-external",
                f"{change.address} is used by External connections of other organizations: "
                f"{', '.join(sorted(names))}",
                "once it is deleted, nobody can log in through those; organizations that this run did not "
                "read may use it too",
            )


def _external_users(organizations: Iterable[LiveOrganization]) -> Mapping[str, Sequence[str]]:
    """Return the External connections that refer to a connection, by its id."""
    users: dict[str, list[str]] = {}
    for live in organizations:
        for connection in live.other_connections:
            if connection.external_connection_id:
                name = f"{live.organization.label} ({connection.connection_id})"
                users.setdefault(connection.external_connection_id, []).append(name)
    return users


def expiry_step(expiry: date, today: date) -> str:
    """Return how urgent an expiry is, in steps: the text is the same from day to day until the next one."""
    left = (expiry - today).days
    step = next((days for days in EXPIRY_WARNINGS if left <= days), None)
    if step is None:
        return ""
    return "has expired" if left < 0 else f"expires within {count(step, 'day')}"


def place_of_expiry(desired: DesiredConnection) -> str:
    """Return where to write the next date of expiry: where the last one was."""
    return "`expires_on` in the secret store" if desired.expires_as_stored else "`secret_expires_on`"


def expiry_differences(desired: DesiredConnection) -> Iterator[Diagnostic]:
    """Yield a warning if the manifest and the secret store have different expiry dates."""
    declared, stored = desired.secret_expires_on, desired.stored_expires_on
    if declared is not None and stored is not None and declared != stored:
        yield _warning(
            desired,
            "secret-expiry-differs",
            f"client_secret of {desired.address} expires on {declared} in its manifest, and on {stored} in "
            "its secret store",
            "the earlier date is used; correct the date that is wrong, or remove `secret_expires_on`",
        )


def _expiry_warnings(desired: DesiredConnection, today: date) -> Iterator[Diagnostic]:
    if desired.expires_on is not None and (when := expiry_step(desired.expires_on, today)):
        yield _warning(
            desired,
            "secret-expires",
            f"client_secret of {desired.address} {when} ({desired.expires_on})",
            "create a new one at the identity provider, store it where the reference points, and update "
            f"{place_of_expiry(desired)}",
        )


def _pending_warnings(desired: DesiredConnection) -> Iterator[Diagnostic]:
    missing = [name for name in REQUIRED_TO_BECOME_ACTIVE if getattr(desired.connection, name) is None]
    if missing:
        yield _warning(
            desired,
            "stays-pending",
            f"{desired.address} will stay pending: {', '.join(missing)} not declared",
            "declare them, or nobody can log in through it",
        )


def _still_pending_warnings(
    desired: DesiredConnection, live: OidcConnection, *, changes: bool
) -> Iterator[Diagnostic]:
    """Yield a warning about a pending connection, unless a planned change fills in all that it lacks."""
    if live.status != Status.PENDING:
        return
    empty = [name for name in (*REQUIRED_TO_BECOME_ACTIVE, *INFERRED_FIELDS) if is_empty(live, name)]
    missing = [name for name in empty if getattr(desired.connection, name) is None] if changes else empty
    if changes and not set(missing) & {*REQUIRED_TO_BECOME_ACTIVE}:
        return
    empty_fields = f": {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} empty" if missing else ""
    yield _warning(
        desired,
        "stays-pending",
        f"{desired.address} is pending{empty_fields}",
        "nobody can log in through it; declare what is missing, once it is known",
    )


def is_empty(live: OidcConnection, name: str) -> bool:
    """Tell whether an attribute of a live connection has no value."""
    value = getattr(live, name)
    return value.is_empty if isinstance(value, Secret) else not value


def _warning(subject: DesiredConnection | Change, code: Code, summary: str, detail: str) -> Diagnostic:
    address, location = str(subject.address), subject.location
    return Diagnostic(Severity.WARNING, code, summary, detail=detail, address=address, location=location)
