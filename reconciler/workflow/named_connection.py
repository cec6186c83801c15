"""Finds the declared and the live connection with an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.errors import ProviderError, UsageError, did_you_mean
from reconciler.core.matching import match_connections
from reconciler.core.secret import Secret, SecretReference
from reconciler.secrets import resolve_reference
from reconciler.workflow.live_state import find_organizations, read_organization

if TYPE_CHECKING:
    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import DesiredConnection, Organization
    from reconciler.manifests import Loaded
    from reconciler.providers.base import Reader
    from reconciler.secrets import SecretAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedConnection:
    """A declared connection, the live one, and their organization."""

    desired: DesiredConnection
    live: OidcConnection
    organization: Organization


def declared_connection(address: str, loaded: Loaded) -> DesiredConnection:
    """Return the connection that is declared at exactly this address.

    Raises:
        UsageError: there is none.
    """
    connections = {str(item.address): item for item in loaded.state.connections if item.is_present}
    if address not in connections:
        hint = did_you_mean(address, list(connections))
        raise UsageError(f"no connection has the address {address!r}{f': {hint}' if hint else ''}")
    return connections[address]


def declared_secret(address: str, loaded: Loaded, access: SecretAccess) -> tuple[DesiredConnection, Secret]:
    """Return the connection at exactly this address, and the secret that its manifest declares.

    Raises:
        UsageError: there is no such connection, or it declares no secret.
        SecretUnavailable: the secret cannot be resolved.
    """
    desired = declared_connection(address, loaded)
    reference = desired.connection.client_secret
    if not isinstance(reference, SecretReference):
        raise UsageError(f"{address} declares no client_secret")
    return desired, resolve_reference(reference, access, desired.address)


async def read_named_connection(address: str, loaded: Loaded, reader: Reader) -> NamedConnection:
    """Return the live connection that is declared at exactly this address.

    Raises:
        UsageError: none is declared there, it cannot be matched, or it does not exist.
        ProviderError: its organization cannot be read.
    """
    desired = declared_connection(address, loaded)
    (manifest,) = [item for item in loaded.state.organizations if desired in item.connections]
    (organization,) = await find_organizations([manifest], reader)
    live = await read_organization(organization, reader)
    if isinstance(live, ProviderError):
        raise UsageError(f"organization {manifest.reference} cannot be read: {live}") from live
    matching = match_connections(manifest, live)
    for pair in matching.pairs:
        if pair.desired == desired and pair.live is not None:
            return NamedConnection(desired=desired, live=pair.live, organization=live.organization)
    problems = [item.summary for item in matching.diagnostics if item.address in {address, ""}]
    raise UsageError("; ".join(problems) or f"{address} does not exist yet: apply it first")
