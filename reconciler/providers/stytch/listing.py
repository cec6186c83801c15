"""The list of an organization's connections: ours, and those that are never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reconciler.core.connection import Status
from reconciler.core.errors import MalformedAnswer
from reconciler.core.state import LiveOrganization, Organization, OtherConnection
from reconciler.providers.stytch.fields import objects, required_text, text
from reconciler.providers.stytch.oidc import check_owner, read_connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.connection import OidcConnection

_OURS: Final = "oidc_connections"
_SUFFIX: Final = "_connections"


def read_list(document: Mapping[str, Any], organization: Organization, where: str) -> LiveOrganization:
    """Return what a list answer says of an organization.

    A missing or null list counts as empty, since an empty one may be left out by the server.

    Raises:
        MalformedAnswer: the answer has a wrong shape, or objects of another organization.
    """
    owner = organization.organization_id
    connections = tuple(read_connection(one, owner, where) for one in objects(document, _OURS, where))
    _check_unique(connections, where)
    foreign = tuple(
        _read_foreign(one, key, owner, where)
        for key in _foreign_lists(document)
        for one in objects(document, key, where)
    )
    return LiveOrganization(organization=organization, connections=connections, other_connections=foreign)


def _foreign_lists(document: Mapping[str, Any]) -> Iterator[str]:
    return (key for key in document if key.endswith(_SUFFIX) and key != _OURS)


def _read_foreign(document: Mapping[str, Any], key: str, owner: str, where: str) -> OtherConnection:
    """Return the little that is kept of a foreign connection; its keys and certificates are not."""
    check_owner(document, owner, where)
    return OtherConnection(
        kind=key.removesuffix(_SUFFIX),
        connection_id=required_text(document, "connection_id", where),
        display_name=text(document, "display_name", where),
        is_active=text(document, "status", where) == Status.ACTIVE,
        external_connection_id=text(document, "external_connection_id", where),
    )


def _check_unique(connections: tuple[OidcConnection, ...], where: str) -> None:
    if len({one.connection_id for one in connections}) != len(connections):
        raise MalformedAnswer(f"{where}: the answer holds one connection_id twice")
