"""What no plan may do: delete what is protected, lock an organization out, delete too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import ActionReason, Create, Delete
from reconciler.core.connection import Status
from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.matching import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.core.change import Change
    from reconciler.core.limits import Limits
    from reconciler.core.plan import PlanSummary
    from reconciler.core.state import DesiredOrganization, LiveOrganization, Protection


def check_deletes(
    desired: DesiredOrganization, live: LiveOrganization, changes: Sequence[Change]
) -> tuple[Diagnostic, ...]:
    """Return the errors that refuse an organization's deletes; any one refuses the organization."""
    deletes = [one for one in changes if isinstance(one, Delete)]
    if not deletes:
        return ()
    creates = any(isinstance(one, Create) for one in changes)
    protected = {one.address: one for one in desired.connections if one.lifecycle.prevent_destroy}
    errors = [_protected(delete) for delete in deletes if delete.address in protected]
    errors += _protected_once(deletes, desired.protections)
    ids = {delete.before.connection_id or "" for delete in deletes}
    for delete in deletes:
        reason = reason_to_keep(delete.before.connection_id or "", ids, live, others_come=creates)
        if reason is not None:
            errors.append(_error(delete, *reason))
    return tuple(errors)


def reason_to_keep(
    connection_id: str, deleted: Collection[str], live: LiveOrganization, *, others_come: bool = False
) -> tuple[str, str, str] | None:
    """Return code, reason and advice if deleting ``connection_id`` would hurt what remains.

    ``deleted`` are all connections that go, this one included; ``others_come`` if some are created
    before. Asked when planning, and again of fresh state right before the delete is sent.
    """
    remaining = [one for one in live.connections if one.connection_id not in deleted]
    others = [one for one in live.other_connections if one.connection_id not in deleted]
    name = live.organization.slug or live.organization.organization_id
    if connection_id == live.organization.default_connection_id and (remaining or others or others_come):
        return (
            "default-connection",
            f"it is the default connection of organization {name}, which has others",
            "make another active connection the organization's default first",
        )
    is_active = any(
        one.connection_id == connection_id and one.status == Status.ACTIVE for one in live.connections
    )
    stays_open = any(one.status == Status.ACTIVE for one in remaining) or any(one.is_active for one in others)
    if live.organization.sso_only and is_active and not stays_open:
        return (
            "lock-out",
            f"organization {name} allows SSO only and would have no active connection left: "
            "nobody could log in",
            "activate another connection or allow another log-in method first",
        )
    return None


def check_delete_limits(
    summary: PlanSummary, limits: Limits, accepted: int | None = None
) -> tuple[Diagnostic, ...]:
    """Return an error if a run deletes more than the limits allow and nobody accepted that number.

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
            detail=f"{mismatch}if all of them are meant, apply with `--allow-deletes {summary.destroy}`",
        ),
    )


def _protected(delete: Delete) -> Diagnostic:
    return _error(
        delete,
        "prevent-destroy",
        "its manifest says `prevent_destroy: true`",
        "to delete it all the same, remove that line in a change of its own",
    )


def _protected_once(deletes: Sequence[Delete], protections: Sequence[Protection]) -> Iterator[Diagnostic]:
    """Yield errors for connections whose block was removed while it forbade to destroy them."""
    found = {one.connection_id: one for one in protections}
    for delete in deletes:
        connection_id = delete.before.connection_id or ""
        protection = found.get(connection_id)
        if protection is None or delete.reason is not ActionReason.NOT_DECLARED:
            continue
        name = quoted(delete.before.display_name)
        tombstone = f"declare it with `connection_id: {connection_id}` and `state: absent`"
        if protection.origin:
            yield _error(
                delete,
                "prevent-destroy",
                f"the last block that declared {name} says `prevent_destroy: true` ({protection.origin})",
                f"to keep it, put that block back; to delete it all the same, {tombstone}",
            )
        else:
            yield _error(
                delete,
                "protection-unknown",
                f"the Git history is cut off here, so nobody can say whether the block of {name} that was "
                "removed had `prevent_destroy: true`",
                f"fetch the whole history (in actions/checkout: `fetch-depth: 0`), or {tombstone}",
            )


def _error(delete: Delete, code: str, reason: str, advice: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        code,
        f"{delete.address} cannot be deleted: {reason}",
        detail=advice,
        address=str(delete.address),
        location=delete.location,
    )
