"""Where something is that is not where its manifest says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic
    from reconciler.core.state import DesiredOrganization, Organization

PIN_NOT_LIVE = "pin-not-live"
"""The code of the error that an organization does not have the connection that is pinned."""


def missing_pins(desired: DesiredOrganization, found: tuple[Diagnostic, ...]) -> dict[str, str]:
    """Return the pins that the findings say are not live, by address."""
    missing = {one.address for one in found if one.code == PIN_NOT_LIVE}
    return {
        str(one.address): one.connection.connection_id
        for one in (desired.connections if missing else ())
        if str(one.address) in missing and one.connection.connection_id is not None
    }


def pinned_elsewhere(found: Diagnostic, pin: str, owner: Organization) -> Diagnostic:
    """Return the finding about a pin that is not live, saying which organization has the connection."""
    name = f"{owner.slug} ({owner.organization_id})" if owner.slug else owner.organization_id
    return replace(
        found,
        summary=f"{found.address} is pinned to {pin}, which belongs to organization {name}",
        detail="declare it in that organization's manifest, or correct the line `connection_id:`; a "
        "connection never moves from one organization to another",
    )
