"""The rule about an issuer and client_id that more than one organization declares."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from reconciler.core.change import Create, Update
from reconciler.policies.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.state import DesiredOrganization

    DeclaredClients = Mapping[tuple[str, str], Sequence[str]]
    """The organizations that declare an issuer and client_id."""


def declared_clients(organizations: Iterable[DesiredOrganization]) -> DeclaredClients:
    """Return in which organizations, by reference, each pair of issuer and client_id is declared."""
    clients = defaultdict(list)
    for organization in organizations:
        for desired in organization.connections:
            issuer, client_id = desired.connection.issuer, desired.connection.client_id
            if issuer and client_id and not desired.is_absent:
                clients[issuer, client_id].append(organization.reference)
    return clients


def find_shared(change: Change, clients: DeclaredClients) -> Iterator[str]:
    """Yield a clause if another organization declares the client that this change writes."""
    if not isinstance(change, Create | Update) or not _writes_client(change):
        return
    key = (change.declared.issuer or "", change.declared.client_id or "")
    organizations = dict.fromkeys(clients.get(key, ()))
    others = [name for name in organizations if name != change.address.organization]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""  # noqa: PLR2004 - three are named
        yield f"issuer and client_id are those of {', '.join(others[:3])}{more} too"


def _writes_client(change: Create | Update) -> bool:
    return isinstance(change, Create) or not {"issuer", "client_id"}.isdisjoint(change.changed)


SHARED_CLIENT: Final = Rule(
    id="shared-client",
    find=lambda _change: (),  # needs all organizations: see `find_shared`
    why="members of one customer could log in to the other's organization",
)
