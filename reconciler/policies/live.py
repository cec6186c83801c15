"""The risk rules applied to live values: what anybody but the manifests may have set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Create
from reconciler.core.drift import DriftKind, Finding
from reconciler.policies.assess import assess
from reconciler.policies.estate import Estate, clients_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Managed
    from reconciler.policies.approvals import Approvals


def find_live_risks(
    connections: Sequence[Managed], severities: Mapping[str, str], approvals: Approvals
) -> tuple[Finding, ...]:
    """Return the risks in live connections that no approval covers, as if they were to be created."""
    by_address = {str(managed.address): managed for managed in connections}
    changes = [
        Create(
            address=managed.address,
            organization_id=managed.organization_id,
            declared=managed.connection,
            location=managed.location,
        )
        for managed in connections
    ]
    clients = clients_of((managed.address.organization, managed.connection) for managed in connections)
    risks = assess(changes, severities, Estate(clients=clients))
    return tuple(
        _finding(risk, by_address[risk.address]) for risk in risks if approvals.for_risk(risk) is None
    )


def _finding(risk: Diagnostic, managed: Managed) -> Finding:
    return Finding(
        address=managed.address,
        organization_id=managed.organization_id,
        kind=DriftKind.RISK,
        connection_id=managed.connection.connection_id or "",
        rule=risk.code,
        summary=risk.summary.removeprefix(f"{risk.address}: "),
        location=managed.location,
    )
