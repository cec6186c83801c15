"""What the risk rules know of all organizations: their clients, secrets and pins."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.secret import SecretReference, equal_references
from reconciler.policies.trust_domain import client_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.secret import Locator, Secret
    from reconciler.core.state import DesiredOrganization


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Which organizations, by reference, have a client, refer to a secret, or are known by their id.

    ``equal_secrets`` groups the references that were resolved to one value.
    """

    clients: Mapping[tuple[object, ...], Sequence[str]] = field(default_factory=dict)
    secrets: Mapping[Locator, Sequence[str]] = field(default_factory=dict)
    equal_secrets: Sequence[frozenset[SecretReference]] = ()
    pins: Mapping[str, frozenset[str]] = field(default_factory=dict)


def declared_estate(
    organizations: Iterable[DesiredOrganization],
    secrets: Mapping[SecretReference, Secret],
    *,
    in_session: bool = False,
) -> Estate:
    """Return what is declared, without connections that are declared absent or unmanaged.

    ``in_session``: only the session's own organization can be reached, so that no name needs a pin.
    """
    organizations = tuple(organizations)
    present = [
        (organization.reference, desired.connection)
        for organization in organizations
        for desired in organization.connections
        if desired.is_present
    ]
    users: dict[Locator, list[str]] = defaultdict(list)
    for reference, connection in present:
        for locator in _locators(connection):
            users[locator].append(reference)
    return Estate(
        clients=clients_of(present),
        secrets=users,
        equal_secrets=equal_references(secrets),
        pins={}
        if in_session
        else {organization.reference: organization.names for organization in organizations},
    )


def clients_of(connections: Iterable[tuple[str, OidcConnection]]) -> Mapping[tuple[object, ...], list[str]]:
    """Return the organizations of each client; a connection comes with its organization's reference."""
    clients: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for reference, connection in connections:
        if connection.issuer and connection.client_id:
            clients[client_key(connection.issuer, connection.client_id)].append(reference)
    return clients


def _locators(connection: OidcConnection) -> tuple[Locator, ...]:
    secret = connection.client_secret
    return secret.locators if isinstance(secret, SecretReference) else ()
