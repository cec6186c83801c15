"""Converts the API's organizations and connections to core values, and core values to request bodies."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from reconciler.core.connection import OidcConnection, Status
from reconciler.core.errors import MalformedAnswer
from reconciler.core.secret import Secret
from reconciler.core.state import ActiveOrganization, LiveOrganization, Organization, OtherConnection
from reconciler.http.json_fields import JsonObject

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_OIDC_LIST: Final = "oidc_connections"
_LIST_SUFFIX: Final = "_connections"
_ACTIVE_LIST: Final = "sso_active_connections"
_OIDC_ID: Final = "oidc-connection-"
_ORGANIZATION_ID: Final = re.compile(r"organization-(?:test|live)-[A-Za-z0-9-]{1,64}")


def read_organization(document: Mapping[str, Any], where: str) -> Organization:
    """Return the organization under the key ``organization`` of a response.

    Raises:
        MalformedAnswer: there is none, or a field has a wrong type.
    """
    organization = JsonObject(document, where).child("organization")
    if not organization.values:
        raise MalformedAnswer(f"{where}: the response lacks 'organization'")
    return parse_organization(organization)


def parse_organization(organization: JsonObject) -> Organization:
    """Return an organization object as ours.

    Raises:
        MalformedAnswer: it has no id, or a field has a wrong type.
    """
    is_restricted = organization.text("auth_methods") == "RESTRICTED"
    return Organization(
        organization_id=organization.required_text("organization_id"),
        slug=organization.text("organization_slug"),
        external_id=organization.text("organization_external_id"),
        name=organization.text("organization_name"),
        default_connection_id=organization.text("sso_default_connection_id"),
        sso_only=is_restricted and set(organization.texts("allowed_auth_methods")) == {"sso"},
        jit_connection_ids=organization.texts("sso_jit_provisioning_allowed_connections"),
    )


def parse_active_organization(organization: JsonObject) -> ActiveOrganization:
    """Return an organization object with the active OIDC connections that it lists.

    Raises:
        MalformedAnswer: it has no list of them, or a field has a wrong type.
    """
    if _ACTIVE_LIST not in organization.values:
        raise MalformedAnswer(f"{organization.where}: the response lacks {_ACTIVE_LIST!r}")
    return ActiveOrganization(
        organization=parse_organization(organization),
        connections=tuple(
            OidcConnection(
                display_name=connection.text("display_name"),
                identity_provider=connection.text("identity_provider"),
                connection_id=connection.required_text("connection_id"),
                status=Status.ACTIVE.value,
            )
            for connection in organization.objects(_ACTIVE_LIST)
            if connection.text("connection_id").startswith(_OIDC_ID)
        ),
    )


def read_list(document: Mapping[str, Any], organization: Organization, where: str) -> LiveOrganization:
    """Return the connections in the response to a list request.

    A missing or null list counts as empty, since the server may leave out an empty one.

    Raises:
        MalformedAnswer: the response has a wrong shape, or objects of another organization.
    """
    response = JsonObject(document, where)
    check_kind(response, [key for key in document if key.endswith(_LIST_SUFFIX)])
    owner = organization.organization_id
    connections = tuple(parse_connection(item, owner) for item in response.objects(_OIDC_LIST))
    if len({connection.connection_id for connection in connections}) != len(connections):
        raise MalformedAnswer(f"{where}: the response contains the same connection_id twice")
    other_lists = [key for key in document if key.endswith(_LIST_SUFFIX) and key != _OIDC_LIST]
    other_connections = tuple(
        _parse_other_connection(item, key.removesuffix(_LIST_SUFFIX), owner)
        for key in other_lists
        for item in response.objects(key)
    )
    return LiveOrganization(
        organization=organization, connections=connections, other_connections=other_connections
    )


def check_kind(response: JsonObject, lists: Collection[str], optional: Collection[str] = ()) -> None:
    """Make sure that a response without any of its lists has nothing else either.

    The service may leave out empty lists, but a response of another kind is not an empty one.

    Raises:
        MalformedAnswer: it has other keys than those of every response.
    """
    if any(name in response.values for name in lists):
        return
    keys = set(response.values) - {"request_id", "status_code", *optional}
    if keys or "request_id" not in response.values:
        raise MalformedAnswer(f"{response.where}: the response is of another kind, it has no list")


def parse_connection(connection: JsonObject, organization_id: str) -> OidcConnection:
    """Return a connection as it is live: no field is None, what is unset is empty.

    Values of ``attribute_mapping`` are kept as the API sends them, even where they are not strings:
    its schema allows any JSON there, ours only strings, and a difference must show.

    Raises:
        MalformedAnswer: a field has a wrong type, or the connection is of another organization.
    """
    check_owner(connection, organization_id)
    return OidcConnection(
        display_name=_shared_text(connection, "display_name"),
        identity_provider=_shared_text(connection, "identity_provider"),
        issuer=_shared_text(connection, "issuer"),
        client_id=_shared_text(connection, "client_id"),
        client_secret=Secret(connection.text("client_secret")),
        authorization_url=_shared_text(connection, "authorization_url"),
        token_url=_shared_text(connection, "token_url"),
        userinfo_url=_shared_text(connection, "userinfo_url"),
        jwks_url=_shared_text(connection, "jwks_url"),
        custom_scopes=read_scopes(connection.text("custom_scopes")),
        attribute_mapping=_shared(connection.mapping("attribute_mapping")),
        connection_id=connection.required_text("connection_id"),
        redirect_url=connection.text("redirect_url"),
        status=sys.intern(connection.text("status")),
    )


def _shared_text(connection: JsonObject, name: str) -> str:
    """Return a text that is usually declared as well: equal texts are held in memory once."""
    return sys.intern(connection.text(name))


def _shared(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return one copy for all equal mappings, to save memory: most connections have the same."""
    items = tuple(mapping.items())
    return _mapping(items) if all(type(value) is str for _key, value in items) else mapping


@lru_cache(maxsize=256)
def _mapping(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(items)


def _parse_other_connection(connection: JsonObject, kind: str, organization_id: str) -> OtherConnection:
    """Return the little that is kept of a SAML or External connection; not its keys and certificates."""
    check_owner(connection, organization_id)
    return OtherConnection(
        kind=kind,
        connection_id=connection.required_text("connection_id"),
        display_name=connection.text("display_name"),
        is_active=connection.text("status") == Status.ACTIVE,
        external_connection_id=connection.text("external_connection_id"),
    )


def check_owner(connection: JsonObject, organization_id: str) -> None:
    """Make sure that an object is of the organization that was asked for.

    Raises:
        MalformedAnswer: it says otherwise, or says nothing.
    """
    owner = connection.required_text("organization_id")
    if owner != organization_id:
        name = f", {owner!r}" if _ORGANIZATION_ID.fullmatch(owner) else ""
        raise MalformedAnswer(
            f"{connection.where}: the response contains an object of another organization{name};"
            " the response is not used"
        )


def check_identity(connection: JsonObject, connection_id: str) -> None:
    """Make sure that an object is the connection that was written.

    Raises:
        MalformedAnswer: it is another connection.
    """
    if connection.required_text("connection_id") != connection_id:
        raise MalformedAnswer(f"{connection.where}: the response is about another connection")


@lru_cache(maxsize=256)
def read_scopes(scopes: str) -> tuple[str, ...]:
    """Return scopes as a sorted tuple, from text that may be percent-encoded; equal texts share one."""
    return tuple(sorted(set(unquote(scopes).split())))


def write_body(values: OidcConnection) -> dict[str, Any]:
    """Return the body of an update: the fields that have a value, and no others.

    Scopes are joined by plain spaces: right if the server stores what it gets, and if it decodes.
    The result holds the client secret in clear; it is for the wire only.
    """
    return {name: _wire_value(name, getattr(values, name)) for name in values.declared_fields}


def encode_scopes(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with its scopes percent-encoded, for a server that insists on it."""
    return {**body, "custom_scopes": quote(body["custom_scopes"], safe="")}


def _wire_value(name: str, value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    if name == "custom_scopes" and isinstance(value, tuple):
        return " ".join(value)
    if name == "client_secret":
        raise TypeError("client_secret must be resolved before it can be sent")
    return value
