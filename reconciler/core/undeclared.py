"""Finds drift that no manifest is about: undeclared connections, and organizations that none names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.core.address import Address
from reconciler.core.connection import Status
from reconciler.core.drift import DriftKind, Finding, Observations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.core.connection import OidcConnection
    from reconciler.core.plan import Plan, Unmanaged
    from reconciler.core.run_selection import RunSelection
    from reconciler.core.state import ActiveOrganization


class DriftMode(StrEnum):
    """What the project file makes of live connections that no manifest declares."""

    DRIFT = "drift"
    REPORT = "report"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSettings:
    """What is drift: undeclared connections of declared organizations, and those of all others."""

    undeclared: DriftMode = DriftMode.DRIFT
    unknown_organizations: DriftMode = DriftMode.REPORT


def find_undeclared(plan: Plan, settings: DriftSettings, selection: RunSelection) -> Observations:
    """Return the undeclared connections of the plan's organizations: drift, or only to be shown.

    Pending ones are never drift, since nobody can log in through them.
    """
    if settings.undeclared is DriftMode.IGNORE:
        return Observations()
    if settings.undeclared is DriftMode.REPORT:
        return Observations(unmanaged=plan.unmanaged)
    drifted = [unmanaged for unmanaged in plan.unmanaged if _is_drift(unmanaged, selection)]
    return Observations(
        findings=tuple(
            _finding(
                DriftKind.UNDECLARED, unmanaged.organization, unmanaged.organization_id, unmanaged.connection
            )
            for unmanaged in drifted
        ),
        unmanaged=tuple(unmanaged for unmanaged in plan.unmanaged if unmanaged not in drifted),
    )


def find_unknown(
    live: Iterable[ActiveOrganization],
    declared: Collection[str],
    settings: DriftSettings,
    selection: RunSelection,
) -> Observations:
    """Return the organizations that none of the declared names stands for: drift, or only to be shown."""
    unknown = tuple(
        active
        for active in live
        if active.connections
        and active.organization.names.isdisjoint(declared)
        and selection.in_shard(active.organization.label)
    )
    if settings.unknown_organizations is not DriftMode.DRIFT:
        return Observations(unknown_organizations=unknown)
    findings = tuple(
        _finding(
            DriftKind.UNKNOWN_ORGANIZATION,
            active.organization.label,
            active.organization.organization_id,
            connection,
        )
        for active in unknown
        for connection in active.connections
    )
    return Observations(findings=findings)


def combine(first: Observations, second: Observations) -> Observations:
    """Return both observations as one."""
    return replace(
        first,
        findings=(*first.findings, *second.findings),
        unknown_organizations=second.unknown_organizations,
        unknown_checked=second.unknown_checked,
        diagnostics=(*first.diagnostics, *second.diagnostics),
    )


def _is_drift(unmanaged: Unmanaged, selection: RunSelection) -> bool:
    address = Address(unmanaged.organization, unmanaged.connection.connection_id or "")
    return unmanaged.connection.status == Status.ACTIVE and selection.includes(address)


def _finding(kind: DriftKind, organization: str, organization_id: str, connection: OidcConnection) -> Finding:
    return Finding(
        address=Address(organization, connection.connection_id or ""),
        organization_id=organization_id,
        kind=kind,
        connection_id=connection.connection_id or "",
        display_name=connection.display_name or "",
    )
