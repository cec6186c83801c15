"""Refuses deletes that are protected, would lock an organization out, or exceed the limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import ActionReason, Create, Delete
from reconciler.core.connection import Status
from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.matching import quote_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.core.change import Change
    from reconciler.core.codes import Code
    from reconciler.core.plan import PlanSummary
    from reconciler.core.run_selection import Limits
    from reconciler.core.state import DesiredOrganization, LiveOrganization, Protection


def check_deletes(
    desired: DesiredOrganization, live: LiveOrganization, changes: Sequence[Change]
) -> tuple[Diagnostic, ...]:
    """Return the errors about an organization's deletes; any one refuses the whole organization."""
    deletes = [change for change in changes if isinstance(change, Delete)]
    return (
        *_declared_protections(desired, deletes),
        *_past_protections(desired.protections, deletes),
        *_harmful_deletes(live, changes, deletes),
    )


def withhold_deletes(
    desired: DesiredOrganization, changes: Sequence[Change], reason: str
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """Return the changes without their deletes, and an error that names these, if there is a reason to."""
    deletes = [str(change.address) for change in changes if isinstance(change, Delete)]
    if not (reason and deletes):
        return tuple(changes), ()
    error = Diagnostic(
        Severity.ERROR,
        "deletes-withheld",
        f"organization {desired.reference}: nothing is deleted, because {reason}",
        detail=f"not deleted: {', '.join(deletes)}",
        hint="correct that file, and plan again",
        address=desired.reference,
        location=desired.location,
    )
    return tuple(change for change in changes if not isinstance(change, Delete)), (error,)


def reason_to_keep(
    connection_id: str, deleted: Collection[str], live: LiveOrganization, *, creates: bool = False
) -> tuple[Code, str, str] | None:
    """Return code, reason and advice if deleting ``connection_id`` would harm the organization.

    ``deleted`` are the ids of all connections to delete, this one included; ``creates`` tells whether
    some are created before. Called when planning, and again with fresh state right before the delete.
    """
    organization = live.organization
    ids = {connection.connection_id or "" for connection in live.connections}
    ids |= {connection.connection_id for connection in live.other_connections}
    has_others = creates or bool(ids.difference(deleted))
    if connection_id == organization.default_connection_id and has_others:
        return (
            "default-connection",
            f"it is the default connection of organization {organization.label}, which has others",
            "declare `default: true` on another connection, or make an active one the default first",
        )
    active = {
        connection.connection_id for connection in live.connections if connection.status == Status.ACTIVE
    }
    others = {connection.connection_id for connection in live.other_connections if connection.is_active}
    if organization.sso_only and connection_id in active and not (active | others).difference(deleted):
        return (
            "lock-out",
            f"organization {organization.label} allows SSO only and would have no active connection left: "
            "nobody could log in",
            "activate another connection or allow another log-in method first",
        )
    return None


def check_delete_limits(
    summary: PlanSummary, limits: Limits, accepted: int | None = None
) -> tuple[Diagnostic, ...]:
    """Return an error if a run deletes more than the limits allow and that number was not accepted.

    ``accepted`` must be exactly the number of deletes, so that it fits no other plan.
    """
    allowed = limits.deletes_allowed(summary.managed)
    if summary.destroy <= allowed or accepted == summary.destroy:
        return ()
    mismatch = f"--allow-deletes {accepted} does not fit this plan; " if accepted is not None else ""
    return (
        Diagnostic(
            Severity.ERROR,
            "too-many-deletes",
            f"the plan deletes {summary.destroy} of {summary.managed} managed connections, but the limits "
            f"allow {allowed} (max_deletes {limits.max_deletes}, max_delete_percent "
            f"{limits.max_delete_percent:g})",
            detail=f"{mismatch}if this is intended, apply with `--allow-deletes {summary.destroy}`, "
            f"or add an approval with `deletes: {summary.destroy - allowed}`",
        ),
    )


def _declared_protections(desired: DesiredOrganization, deletes: Sequence[Delete]) -> Iterator[Diagnostic]:
    protected = {
        connection.address for connection in desired.connections if connection.lifecycle.prevent_destroy
    }
    for delete in deletes:
        if delete.address in protected:
            yield _error(
                delete,
                "prevent-destroy",
                "its manifest says `prevent_destroy: true`",
                "to delete it anyway, remove that line in a separate change",
            )


def _past_protections(protections: Sequence[Protection], deletes: Sequence[Delete]) -> Iterator[Diagnostic]:
    """Yield errors for connections whose block was removed while it had ``prevent_destroy``."""
    by_id = {protection.connection_id: protection for protection in protections}
    for delete in deletes:
        protection = by_id.get(delete.before.connection_id or "")
        if protection is not None and delete.reason is ActionReason.NOT_DECLARED:
            yield _past_protection(delete, protection)


def _past_protection(delete: Delete, protection: Protection) -> Diagnostic:
    name = quote_yaml(delete.before.display_name)
    absent = f"declare it with `connection_id: {protection.connection_id}` and `state: absent`"
    if protection.origin and protection.is_certain:
        return _error(
            delete,
            "prevent-destroy",
            f"the last block that declared {name} says `prevent_destroy: true` ({protection.origin})",
            f"to keep it, put that block back; to delete it anyway, {absent}",
        )
    if protection.origin:
        return _error(
            delete,
            "prevent-destroy",
            f"whether {name} was protected cannot be determined, so it counts as `prevent_destroy: true` "
            f"({protection.origin})",
            f"that version cannot be read; to keep the connection, declare it; to delete it, {absent}",
        )
    return _error(
        delete,
        "protection-unknown",
        f"the Git history is shallow here, so it is unknown whether the removed block of {name} had "
        "`prevent_destroy: true`",
        f"fetch the whole history (in actions/checkout: `fetch-depth: 0`), or {absent}",
    )


def _harmful_deletes(
    live: LiveOrganization, changes: Sequence[Change], deletes: Sequence[Delete]
) -> Iterator[Diagnostic]:
    creates = any(isinstance(change, Create) for change in changes)
    ids = {delete.before.connection_id or "" for delete in deletes}
    for delete in deletes:
        reason = reason_to_keep(delete.before.connection_id or "", ids, live, creates=creates)
        if reason is not None:
            yield _error(delete, *reason)


def _error(delete: Delete, code: Code, reason: str, advice: str) -> Diagnostic:
    summary = f"{delete.address} cannot be deleted: {reason}"
    address, location = str(delete.address), delete.location
    return Diagnostic(Severity.ERROR, code, summary, detail=advice, address=address, location=location)
