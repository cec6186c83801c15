"""What the manifests declare: the side that is to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import SourceLocation


class Presence(StrEnum):
    """Whether a declared connection shall exist; ``absent`` is a tombstone."""

    PRESENT = "present"
    ABSENT = "absent"


class Discovery(StrEnum):
    """How the IdP's own metadata is used."""

    OFF = "off"
    REPORT = "report"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Limits on what any plan may do to a connection."""

    prevent_destroy: bool = False
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredConnection:
    """One declared connection.

    ``connection`` holds the declared fields only, except ``display_name``, which defaults to the
    connection's name; ``connection.connection_id`` is the pin.
    """

    address: Address
    connection: OidcConnection
    location: SourceLocation
    presence: Presence = Presence.PRESENT
    previous_display_names: tuple[str, ...] = ()
    discovery: Discovery = Discovery.REPORT
    secret_expires_on: date | None = None
    lifecycle: Lifecycle = Lifecycle()

    @property
    def is_absent(self) -> bool:
        """Whether the connection is declared to be deleted."""
        return self.presence is Presence.ABSENT


@dataclass(frozen=True, slots=True)
class Protection:
    """What the past says of a connection that no manifest declares any more.

    ``origin`` is where its last declaration said that it must not be destroyed; empty where the past
    is cut off, so that nobody can say.
    """

    connection_id: str
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredOrganization:
    """One organization manifest. ``reference`` is an organization_id, slug or external id.

    ``protections`` are asked for only where `prune` would delete something.
    """

    reference: str
    location: SourceLocation
    organization_id: str | None = None
    prune: bool = False
    connections: tuple[DesiredConnection, ...] = ()
    protections: tuple[Protection, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names by which the manifest refers to its organization: the reference and the pin."""
        return frozenset({self.reference, self.organization_id or self.reference})


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Everything that is declared, in the order of the files."""

    organizations: tuple[DesiredOrganization, ...]

    @property
    def connections(self) -> tuple[DesiredConnection, ...]:
        """All declared connections."""
        return tuple(one for organization in self.organizations for one in organization.connections)
