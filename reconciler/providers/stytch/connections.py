"""The verbs on connections that both doors of the API share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from reconciler.core.errors import MalformedAnswer, RequestRejected, UnknownOutcome
from reconciler.providers.base import Recheck, Written
from reconciler.providers.stytch.answer import request_id, shown
from reconciler.providers.stytch.call import read, write
from reconciler.providers.stytch.fields import mapping
from reconciler.providers.stytch.listing import read_list
from reconciler.providers.stytch.oidc import check_identity, encode_scopes, read_connection, write_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import LiveOrganization, Organization
    from reconciler.providers.stytch.call import Call
    from reconciler.providers.stytch.client import Client

_OURS: Final = "oidc-connection-"


class Paths(Protocol):
    """Where a door has the connections of an organization."""

    def connections(self, organization_id: str) -> str:
        """Return the path of the list."""
        ...

    def create(self, organization_id: str) -> str:
        """Return the path for creating an OIDC connection."""
        ...

    def update(self, organization_id: str, connection_id: str) -> str:
        """Return the path for updating an OIDC connection."""
        ...

    def delete(self, organization_id: str, connection_id: str) -> str:
        """Return the path for deleting any connection."""
        ...


class Connections:
    """Lists, creates, updates and deletes OIDC connections through one door."""

    def __init__(self, client: Client, paths: Paths) -> None:
        self._client = client
        self._paths = paths

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        """Read all connections of one organization, as `reconciler.providers.base.Reader` says."""
        await self._admit(organization.organization_id)
        path = self._paths.connections(organization.organization_id)
        call = read(path, f"connections of {_organization(organization.organization_id)}")
        return read_list(await self._client.send(call), organization, str(call))

    async def create_connection(
        self,
        organization_id: str,
        display_name: str,
        identity_provider: str,
        *,
        recheck: Recheck | None = None,
    ) -> OidcConnection:
        """Create an empty connection, as `reconciler.providers.base.Provider` says."""
        await self._admit(organization_id)
        body = {"display_name": display_name, "identity_provider": identity_provider}
        subject = f"new connection {shown(display_name)!r} of {_organization(organization_id)}"
        call = write("POST", self._paths.create(organization_id), subject, body, recheck)
        return _written(await self._client.send(call), call, organization_id)

    async def update_connection(
        self,
        organization_id: str,
        connection_id: str,
        values: OidcConnection,
        *,
        recheck: Recheck | None = None,
    ) -> Written:
        """Set the fields that are not None, as `reconciler.providers.base.Provider` says."""
        _refuse_foreign(connection_id)
        await self._admit(organization_id)
        path = self._paths.update(organization_id, connection_id)
        subject = f"connection {connection_id!r} of {_organization(organization_id)}"
        call = write("PUT", path, subject, write_body(values), recheck)
        try:
            document = await self._client.send(call)
        except RequestRejected as error:
            if not _may_want_encoding(error, values):
                raise
            call = write("PUT", path, subject, encode_scopes(write_body(values)), recheck)
            document = await self._client.send(call)
        connection = _written(document, call, organization_id, connection_id)
        return Written(connection, shown(document.get("warning"), self._client.secrets_in(call)))

    async def delete_connection(
        self, organization_id: str, connection_id: str, *, recheck: Recheck | None = None
    ) -> None:
        """Delete one OIDC connection, as `reconciler.providers.base.Provider` says."""
        _refuse_foreign(connection_id)
        await self._admit(organization_id)
        path = self._paths.delete(organization_id, connection_id)
        subject = f"connection {connection_id!r} of {_organization(organization_id)}"
        await self._client.send(write("DELETE", path, subject, recheck=recheck))

    async def _admit(self, organization_id: str) -> None:
        """Raise before anything is sent if this door does not lead to that organization."""


def _may_want_encoding(error: RequestRejected, values: OidcConnection) -> bool:
    """Tell whether a refusal may be about the spaces between scopes.

    The API's texts disagree on whether ``custom_scopes`` is to be sent percent-encoded. A refusal has
    had no effect, so the other form can be tried; it is not among the refusals with a type of their own.
    """
    return error.error_type == "bad_request" and len(values.custom_scopes or ()) > 1


def _refuse_foreign(connection_id: str) -> None:
    if not connection_id.startswith(_OURS):
        raise RequestRejected(
            f"connection {connection_id!r} is no OIDC connection and is never touched; nothing was sent"
        )


def _written(
    document: Mapping[str, Any], call: Call, organization_id: str, connection_id: str = ""
) -> OidcConnection:
    """Return the connection in the answer to a write.

    Raises:
        UnknownOutcome: it is missing or cannot be read, although the write was accepted.
    """
    try:
        found = mapping(document, "connection", str(call))
        if connection_id:
            check_identity(found, connection_id, str(call))
        return read_connection(found, organization_id, str(call))
    except MalformedAnswer as error:
        raise UnknownOutcome(
            f"{error.message}; the write was accepted, read the live state before repeating it",
            request_id=request_id(document),
        ) from error


def _organization(organization_id: str) -> str:
    return f"organization {organization_id!r}"
