"""The operations on connections that the backend API and the frontend API share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.connection import SENSITIVE_FIELDS
from reconciler.core.errors import MalformedAnswer, RequestRejected, UnknownOutcome
from reconciler.http.json_fields import JsonObject
from reconciler.http.redaction import known_words
from reconciler.providers.base import Recheck, Written
from reconciler.providers.stytch.call import read, request_id, sanitize_message, segment, write
from reconciler.providers.stytch.resources import (
    check_identity,
    encode_scopes,
    parse_connection,
    read_list,
    read_organization,
    write_body,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.state import LiveOrganization, Organization
    from reconciler.providers.stytch.call import ApiRequest
    from reconciler.providers.stytch.client import Client

_WAS_ACCEPTED: Final = "the write was accepted, read the live state before repeating it"
_MAY_SET_DEFAULT: Final = "update.settings.default-sso-connection on the resource stytch.organization"
_OIDC_PREFIX: Final = "oidc-connection-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The paths of one API for connections; ``{organization}`` and ``{connection}`` stand for ids.

    ``delete`` deletes any connection; ``create`` and ``update`` are for OIDC connections.
    """

    connections: str
    create: str
    update: str
    delete: str
    organization: str


class Connections:
    """Lists, creates, updates and deletes OIDC connections through one of the two APIs."""

    def __init__(self, client: Client, paths: Paths) -> None:
        self._client = client
        self._paths = paths

    async def read_organization(self, organization: Organization) -> LiveOrganization:
        """Read all connections of one organization, as `reconciler.providers.base.Reader` says."""
        await self._check_organization(organization.organization_id)
        path = _path(self._paths.connections, organization=organization.organization_id)
        request = read(path, f"connections of {_organization(organization.organization_id)}")
        document, read_at = await self._client.send_timed(request)
        return replace(read_list(document, organization, str(request)), read_at=read_at)

    async def create_connection(
        self,
        organization_id: str,
        display_name: str,
        identity_provider: str,
        *,
        recheck: Recheck | None = None,
    ) -> OidcConnection:
        """Create an empty connection, as `reconciler.providers.base.Provider` says."""
        await self._check_organization(organization_id)
        body = {"display_name": display_name, "identity_provider": identity_provider}
        subject = f"new connection {sanitize_message(display_name)!r} of {_organization(organization_id)}"
        request = write(
            "POST", _path(self._paths.create, organization=organization_id), subject, body, recheck
        )
        secrets = self._client.secrets_in(request)
        return _written_connection(await self._client.send(request), request, organization_id, secrets)

    async def update_connection(
        self,
        organization_id: str,
        connection_id: str,
        values: OidcConnection,
        *,
        recheck: Recheck | None = None,
    ) -> Written:
        """Set the fields that are not None, as `reconciler.providers.base.Provider` says."""
        _check_is_oidc(connection_id)
        await self._check_organization(organization_id)
        path = _path(self._paths.update, organization=organization_id, connection=connection_id)
        subject = f"connection {connection_id!r} of {_organization(organization_id)}"
        request = write("PUT", path, subject, write_body(values), recheck)
        try:
            document = await self._client.send(request)
        except RequestRejected as error:
            if not _may_want_encoding(error, values):
                raise
            request = write("PUT", path, subject, encode_scopes(write_body(values)), recheck)
            document = await self._client.send(request)
        secrets = self._client.secrets_in(request)
        connection = _written_connection(document, request, organization_id, secrets, connection_id)
        fields = [getattr(values, name) for name in values.declared_fields if name not in SENSITIVE_FIELDS]
        sent = [value for value in fields if isinstance(value, str)]
        return Written(connection, known_words(sanitize_message(document.get("warning"), secrets), sent))

    async def delete_connection(
        self, organization_id: str, connection_id: str, *, recheck: Recheck | None = None
    ) -> None:
        """Delete one OIDC connection, as `reconciler.providers.base.Provider` says."""
        _check_is_oidc(connection_id)
        await self._check_organization(organization_id)
        path = _path(self._paths.delete, organization=organization_id, connection=connection_id)
        subject = f"connection {connection_id!r} of {_organization(organization_id)}"
        request = write("DELETE", path, subject, recheck=recheck)
        document = await self._client.send(request)
        if document.get("connection_id") not in {None, connection_id}:
            raise UnknownOutcome(f"{request}: the response is about another connection; {_WAS_ACCEPTED}")

    async def set_default_connection(
        self, organization_id: str, connection_id: str, *, recheck: Recheck | None = None
    ) -> Organization:
        """Make a connection the default, as `reconciler.providers.base.Provider` says."""
        _check_is_oidc(connection_id)
        await self._check_organization(organization_id)
        path = _path(self._paths.organization, organization=organization_id)
        body = {"sso_default_connection_id": connection_id}
        subject = f"default connection of {_organization(organization_id)}"
        request = replace(write("PUT", path, subject, body, recheck), permission=_MAY_SET_DEFAULT)
        document = await self._client.send(request)
        try:
            organization = read_organization(document, str(request))
        except MalformedAnswer as error:
            raise UnknownOutcome(f"{error.message}; {_WAS_ACCEPTED}") from error
        if organization.organization_id != organization_id:
            raise UnknownOutcome(f"{request}: the response is about another organization; {_WAS_ACCEPTED}")
        return organization

    async def _check_organization(self, organization_id: str) -> None:
        """Raise before anything is sent if this API cannot reach the organization."""


def _path(template: str, **ids: str) -> str:
    """Return the path with the ids that it names.

    Raises:
        RequestRejected: an id cannot be part of a path.
    """
    return template.format_map({name: segment(value) for name, value in ids.items()})


def _may_want_encoding(error: RequestRejected, values: OidcConnection) -> bool:
    """Tell whether a refusal may be about the spaces between scopes.

    The API's texts disagree on whether ``custom_scopes`` is to be sent percent-encoded. A refusal has
    had no effect, so the other form can be tried; it is not among the refusals with a type of their own.
    """
    return error.error_type == "bad_request" and len(values.custom_scopes or ()) > 1


def _check_is_oidc(connection_id: str) -> None:
    if not connection_id.startswith(_OIDC_PREFIX):
        raise RequestRejected(
            f"connection {connection_id!r} is not an OIDC connection and is never changed; nothing was sent"
        )


def _written_connection(
    document: Mapping[str, Any],
    request: ApiRequest,
    organization_id: str,
    secrets: Sequence[str],
    connection_id: str = "",
) -> OidcConnection:
    """Return the connection in the response to a write.

    Raises:
        UnknownOutcome: it is missing or cannot be read, although the write was accepted.
    """
    try:
        connection = JsonObject(document, str(request)).child("connection")
        if connection_id:
            check_identity(connection, connection_id)
        return parse_connection(connection, organization_id)
    except MalformedAnswer as error:
        raise UnknownOutcome(
            f"{error.message}; {_WAS_ACCEPTED}", request_id=request_id(document, secrets)
        ) from error


def _organization(organization_id: str) -> str:
    return f"organization {organization_id!r}"
