"""What the API says: the side that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.connection import OidcConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organization as the API describes it; ``organization_id`` is always the real id."""

    organization_id: str
    slug: str = ""
    external_id: str = ""
    name: str = ""
    default_connection_id: str = ""
    sso_only: bool = False
    jit_connection_ids: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names by which a manifest may refer to the organization."""
        return frozenset({self.organization_id, self.slug, self.external_id} - {""})


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignConnection:
    """A connection of a kind that is never touched: SAML, External, or one not known here."""

    kind: str
    connection_id: str
    display_name: str = ""
    is_active: bool = False
    external_connection_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrganization:
    """What one well-formed answer said of one organization."""

    organization: Organization
    connections: tuple[OidcConnection, ...] = ()
    foreign: tuple[ForeignConnection, ...] = ()

    def connection(self, connection_id: str) -> OidcConnection | None:
        """Return the live OIDC connection of that id, or None."""
        return next((one for one in self.connections if one.connection_id == connection_id), None)
