"""The translation between the API's OIDC connection and ours; pure in both directions."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from reconciler.core.connection import FIELDS, OidcConnection
from reconciler.core.errors import MalformedAnswer
from reconciler.core.secret import Secret
from reconciler.providers.stytch.fields import mapping, required_text, text

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT_FIELDS: Final = ("organization_id", *(name for name in FIELDS if name != "attribute_mapping"))

_all_texts = itemgetter(*_TEXT_FIELDS)


def read_connection(document: Mapping[str, Any], organization_id: str, where: str) -> OidcConnection:
    """Return a connection as it is live: no field is None, what is unset is empty.

    Values of ``attribute_mapping`` are kept as the API sends them, even where they are no texts:
    its schema allows any JSON there, ours only texts, and a difference must show.

    Raises:
        MalformedAnswer: a field has a wrong type, or the connection is of another organization.
    """
    owner, name, provider, issuer, client_id, secret, *others = _texts(document, where)
    authorization, token, userinfo, jwks, scopes, connection_id, redirect_url, status = others
    if owner != organization_id or not connection_id:
        check_owner(document, organization_id, where)
        required_text(document, "connection_id", where)
    return OidcConnection(
        display_name=name,
        identity_provider=provider,
        issuer=issuer,
        client_id=client_id,
        client_secret=Secret(secret),
        authorization_url=authorization,
        token_url=token,
        userinfo_url=userinfo,
        jwks_url=jwks,
        custom_scopes=read_scopes(scopes),
        attribute_mapping=mapping(document, "attribute_mapping", where),
        connection_id=connection_id,
        redirect_url=redirect_url,
        status=status,
    )


def write_body(values: OidcConnection) -> dict[str, Any]:
    """Return the body of an update: the fields that have a value, and no others.

    Scopes are joined by plain spaces: right if the server stores what it gets, and if it decodes.
    The result holds the client secret in clear; it is for the wire only.
    """
    body: dict[str, Any] = {}
    for name in values.declared_fields:
        body[name] = _wire(name, getattr(values, name))
    return body


def encode_scopes(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with its scopes percent-encoded, for a server that insists on it."""
    return {**body, "custom_scopes": quote(body["custom_scopes"], safe="")}


@lru_cache(maxsize=256)
def read_scopes(scopes: str) -> tuple[str, ...]:
    """Return scopes as a sorted tuple, from text that may be percent-encoded; most texts recur."""
    decoded = unquote(scopes) if "%" in scopes else scopes
    return tuple(sorted(set(decoded.split())))


def check_owner(document: Mapping[str, Any], organization_id: str, where: str) -> None:
    """Make sure that an object is of the organization that was asked for.

    Raises:
        MalformedAnswer: it says otherwise, or says nothing.
    """
    owner = required_text(document, "organization_id", where)
    if owner != organization_id:
        raise MalformedAnswer(
            f"{where}: the answer holds an object of another organization, {owner!r};"
            " nothing of this answer is used"
        )


def check_identity(document: Mapping[str, Any], connection_id: str, where: str) -> None:
    """Make sure that an object is the connection that was meant.

    Raises:
        MalformedAnswer: it is another one.
    """
    if required_text(document, "connection_id", where) != connection_id:
        raise MalformedAnswer(f"{where}: the answer is about another connection")


def _texts(document: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Return the fields that are texts; nearly always all of them are there, which is quick to see."""
    try:
        texts: tuple[str, ...] = _all_texts(document)
    except KeyError:
        pass
    else:
        if {*map(type, texts)} == {str}:
            return texts
    return tuple(text(document, name, where) for name in _TEXT_FIELDS)


def _wire(name: str, value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    if name == "custom_scopes" and isinstance(value, tuple):
        return " ".join(value)
    if name == "client_secret":
        raise TypeError("client_secret must be resolved before it can be sent")
    return value
