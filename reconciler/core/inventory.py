"""The inventory: which connections are declared, which are live, and which are both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.core.connection import Status
from reconciler.core.matching import match_connections

if TYPE_CHECKING:
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import Diagnostic
    from reconciler.core.state import DesiredOrganization, LiveOrganization


class Management(StrEnum):
    """How the manifests and the live state of a connection relate."""

    MANAGED = "managed"
    UNDECLARED = "undeclared"
    UNMANAGED = "unmanaged"
    NOT_CREATED = "not created"


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryItem:
    """One connection; ``connection`` is the live one, or the declared one where it is not created.

    ``is_default``: it is the organization's default connection now.
    """

    address: str
    organization_id: str
    management: Management
    connection: OidcConnection
    is_default: bool = False

    @property
    def is_pending(self) -> bool:
        """Whether the connection exists, and nobody can log in through it yet."""
        return self.connection.status == Status.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The connections of a run, by organization; ``diagnostics`` names what could not be read."""

    items: tuple[InventoryItem, ...] = ()
    organizations: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether something is missing from the list."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


def organization_inventory(desired: DesiredOrganization, live: LiveOrganization) -> Inventory:
    """Return the declared connections in their order, then those that no manifest declares."""
    matching = match_connections(desired, live)

    def item(address: str, management: Management, connection: OidcConnection) -> InventoryItem:
        return InventoryItem(
            address=address,
            organization_id=live.organization.organization_id,
            management=management,
            connection=connection,
            is_default=connection.connection_id == live.organization.default_connection_id,
        )

    declared = [
        item(
            str(pair.desired.address),
            Management.MANAGED if pair.live else Management.NOT_CREATED,
            pair.live or pair.desired.connection,
        )
        for pair in matching.pairs
        if pair.live is not None or not pair.desired.is_absent
    ]
    left_alone = [
        item(str(pair.desired.address), Management.UNMANAGED, pair.live)
        for pair in matching.left_alone
        if pair.live is not None
    ]
    undeclared = [
        item(f"{desired.reference}/{connection.connection_id}", Management.UNDECLARED, connection)
        for connection in matching.unmanaged
    ]
    return Inventory(
        items=(*declared, *left_alone, *undeclared), organizations=1, diagnostics=matching.diagnostics
    )
