"""The two sides that a plan compares: desired (the manifests) and live (the API)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.connection import INFERRED_FIELDS
from reconciler.core.secret import SecretReference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from reconciler.core.address import Address
    from reconciler.core.connection import OidcConnection
    from reconciler.core.errors import SourceLocation


class Presence(StrEnum):
    """Whether a declared connection should exist.

    ``absent`` asks for its deletion; ``unmanaged`` says that it is known, and left alone.
    """

    PRESENT = "present"
    ABSENT = "absent"
    UNMANAGED = "unmanaged"


class Discovery(StrEnum):
    """What is done with the identity provider's metadata.

    ``off`` never contacts it, ``report`` checks it, ``enforce`` also takes its endpoints for declared.
    """

    OFF = "off"
    REPORT = "report"
    ENFORCE = "enforce"

    def at_most(self, limit: Discovery) -> Discovery:
        """Return this, or the limit if that allows less."""
        return min(self, limit, key=[*Discovery].index)


_NONE_PUBLISHED: Final[Mapping[str, str]] = MappingProxyType({})
"""One for all connections: an estate has tens of thousands."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Limits on what any plan may do to a connection."""

    prevent_destroy: bool = False
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredConnection:
    """One declared connection.

    ``connection`` holds the declared fields only, except ``display_name``, which defaults to the
    connection's key; ``connection.connection_id`` is the pin. ``other_ids`` are those of the pin that are
    for other environments. ``stored_expires_on`` is what the store of its secret says, once it was read.

    ``published`` are the endpoints in the issuer's own metadata, if it was fetched, by field; ``enforced``
    names those of them that count as declared.
    """

    address: Address
    connection: OidcConnection
    location: SourceLocation
    secret_location: SourceLocation | None = None
    presence: Presence = Presence.PRESENT
    is_default: bool = False
    previous_display_names: tuple[str, ...] = ()
    discovery: Discovery = Discovery.REPORT
    secret_expires_on: date | None = None
    stored_expires_on: date | None = None
    lifecycle: Lifecycle = Lifecycle()
    other_ids: tuple[str, ...] = ()
    published: Mapping[str, str] = field(default_factory=lambda: _NONE_PUBLISHED)
    enforced: tuple[str, ...] = ()

    @property
    def declares_issuer(self) -> bool:
        """Whether the manifest decides about the issuer."""
        return self.connection.issuer is not None and "issuer" not in self.lifecycle.ignore_changes

    @property
    def enforceable(self) -> tuple[str, ...]:
        """The endpoints that the issuer's metadata may decide: neither declared nor ignored.

        There are none without a declared issuer: otherwise an edit of the live issuer would decide.
        """
        ignored = self.lifecycle.ignore_changes
        if not self.declares_issuer:
            return ()
        undeclared = (name for name in INFERRED_FIELDS if getattr(self.connection, name) is None)
        return tuple(name for name in undeclared if name not in ignored)

    def with_published(self, published: Mapping[str, str], *, enforces: bool) -> DesiredConnection:
        """Return the declaration with the endpoints in its issuer's metadata, which may count as declared."""
        enforced = tuple(name for name in self.enforceable if enforces and name in published)
        values: dict[str, Any] = {name: published[name] for name in enforced}
        connection = replace(self.connection, **values)
        return replace(self, connection=connection, published=published, enforced=enforced)

    @property
    def expires_on(self) -> date | None:
        """The last day on which the secret is valid: the first of those that are declared and stored."""
        days = (self.secret_expires_on, self.stored_expires_on)
        return min((day for day in days if day is not None), default=None)

    @property
    def expires_as_stored(self) -> bool:
        """Whether the store of the secret says when it expires, and the manifest names no earlier day."""
        return self.expires_on is not None and self.expires_on != self.secret_expires_on

    @property
    def is_absent(self) -> bool:
        """Whether the connection is declared to be deleted."""
        return self.presence is Presence.ABSENT

    @property
    def is_present(self) -> bool:
        """Whether the connection is declared to exist as its block says."""
        return self.presence is Presence.PRESENT

    @property
    def is_unmanaged(self) -> bool:
        """Whether the connection is known and left alone: never compared, deleted or reported as drift."""
        return self.presence is Presence.UNMANAGED


@dataclass(frozen=True, slots=True)
class Protection:
    """What Git's history says about a connection that is no longer declared.

    ``origin`` is where its last declaration had ``prevent_destroy: true``; it is empty where the
    history is incomplete, so that this is unknown. ``is_certain``: the declaration was readable.
    """

    connection_id: str
    origin: str = ""
    is_certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredOrganization:
    """One organization manifest. ``reference`` is an organization_id, slug or external id.

    ``protections`` are filled in only where `prune` would delete something. ``commit`` is set where an
    earlier version in Git stands for a file that has errors now. ``other_ids`` are those of the pin that
    are for other environments.
    """

    reference: str
    location: SourceLocation
    organization_id: str | None = None
    prune: bool = False
    connections: tuple[DesiredConnection, ...] = ()
    protections: tuple[Protection, ...] = ()
    commit: str = ""
    other_ids: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Where it is declared, for a message."""
        return f"{self.location} in commit {self.commit[:12]}" if self.commit else str(self.location)

    @property
    def names(self) -> frozenset[str]:
        """The names by which the manifest refers to its organization: the reference and the pin."""
        return frozenset({self.reference, self.organization_id or self.reference})

    def with_stored_expiries(self, days: Mapping[SecretReference, date]) -> DesiredOrganization:
        """Return the organization with the days that secret stores name for these references."""
        if not days:
            return self
        return replace(self, connections=tuple(_with_stored_expiry(item, days) for item in self.connections))


def _with_stored_expiry(
    declared: DesiredConnection, days: Mapping[SecretReference, date]
) -> DesiredConnection:
    reference = declared.connection.client_secret
    if not isinstance(reference, SecretReference) or reference not in days:
        return declared
    return replace(declared, stored_expires_on=days[reference])


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Everything that is declared, in the order of the files."""

    organizations: tuple[DesiredOrganization, ...]

    @property
    def connections(self) -> tuple[DesiredConnection, ...]:
        """All declared connections."""
        return tuple(
            connection for organization in self.organizations for connection in organization.connections
        )


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

    @property
    def label(self) -> str:
        """The name to show to people: the slug, or the id if there is none."""
        return self.slug or self.organization_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveOrganization:
    """An organization and its active OIDC connections, as a search lists them: id, name and provider.

    Nothing is planned from it: pending connections, and all other fields, are not in there.
    """

    organization: Organization
    connections: tuple[OidcConnection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherConnection:
    """A connection of a kind that is never touched: SAML, External, or one that is not known here."""

    kind: str
    connection_id: str
    display_name: str = ""
    is_active: bool = False
    external_connection_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrganization:
    """The organization and its connections, as one answer of the API listed them.

    ``read_at`` is when the answer was requested, in seconds of the provider's clock.
    """

    organization: Organization
    connections: tuple[OidcConnection, ...] = ()
    other_connections: tuple[OtherConnection, ...] = ()
    read_at: float = field(default=inf, compare=False)

    def connection(self, connection_id: str) -> OidcConnection | None:
        """Return the live OIDC connection of that id, or None."""
        matches = (live for live in self.connections if live.connection_id == connection_id)
        return next(matches, None)
