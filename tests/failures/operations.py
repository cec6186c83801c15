"""The operations of the matrix: what is live before a run, and what is declared for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.support.estate import REFERENCE, SECRETS, complete
from tests.support.values import manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.state import DesiredConnection, DesiredOrganization

Fields = dict[str, Any]
Connections = dict[str, Fields]

SECRET: Final = SECRETS[REFERENCE].reveal()
ACME: Final = "acme"
GLOBEX: Final = "globex"
ISSUER: Final = "https://login.acme.example"
NEW_ISSUER: Final = "https://new.acme.example"
URLS: Final = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
_PATHS: Final = ("authorize", "token", "userinfo", "keys")


@dataclass(kw_only=True)
class Operation:
    """The connections of each organization by name; the circumstances may change their fields.

    ``live`` is what is stored; the first connection of an organization is its default connection.
    ``wanted`` is what is declared; what is live and not wanted is declared absent. If ``pinned``, live
    connections have the id of ``connection_id``, and their declarations name it. ``rotate`` selects the
    secrets that are sent although it cannot be seen that they differ. ``default`` is the connection of each
    organization that is declared to become its default.
    """

    live: dict[str, Connections] = field(default_factory=dict)
    wanted: dict[str, Connections] = field(default_factory=dict)
    pinned: bool = False
    rotate: tuple[str, ...] = ()
    default: str = ""

    @property
    def organizations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.live, *self.wanted)))

    @property
    def fields(self) -> tuple[Fields, ...]:
        """The fields of every connection, live and declared."""
        return tuple(
            fields
            for connections in (*self.live.values(), *self.wanted.values())
            for fields in connections.values()
        )

    def declarations(self) -> tuple[DesiredOrganization, ...]:
        return tuple(manifest(name, *self._declarations(name)) for name in self.organizations)

    def _declarations(self, organization: str) -> tuple[DesiredConnection, ...]:
        live = self.live.get(organization, {})
        wanted = self.wanted.get(organization, {})

        def pin(name: str) -> str | None:
            return connection_id(name) if self.pinned and name in live else None

        present = [
            complete(organization, name, pin=pin(name), default=name == self.default, **wanted[name])
            for name in wanted
        ]
        absent = [
            complete(organization, name, absent=True, pin=pin(name), display_name=live[name]["display_name"])
            for name in live
            if name not in wanted
        ]
        return (*present, *absent)


def connection_id(name: str) -> str:
    """Return the id of a live connection of a pinned operation."""
    return f"oidc-connection-test-{name}"


def connection(name: str = "okta", organization: str = ACME) -> Fields:
    """Return a connection as it is declared, with every field."""
    issuer = f"https://login.{organization}.example"
    return {
        "display_name": f"{organization.capitalize()} {name}",
        "identity_provider": "okta",
        "issuer": issuer,
        "client_id": f"client-{name}",
        "client_secret": REFERENCE,
        **urls(issuer),
        "custom_scopes": ("email", "groups", "openid", "profile"),
        "attribute_mapping": {"first_name": "given_name", "groups": "groups"},
    }


def urls(issuer: str) -> Fields:
    """Return the four URLs below an issuer."""
    return {name: f"{issuer}/{path}" for name, path in zip(URLS, _PATHS, strict=True)}


def stored(fields: Fields) -> Fields:
    """Return a declaration in the form in which a server stores it."""
    stored_fields = {**fields, "client_secret": SECRET}
    if "custom_scopes" in stored_fields:
        stored_fields["custom_scopes"] = " ".join(stored_fields["custom_scopes"])
    return stored_fields


def _create(**changed: Any) -> Operation:
    return Operation(wanted={ACME: {"okta": {**connection(), **changed}}}, pinned=True)


def _update(**changed: Any) -> Operation:
    """Return the operation that undoes these edits of a live connection."""
    return Operation(
        live={ACME: {"okta": {**stored(connection()), **changed}}},
        wanted={ACME: {"okta": connection()}},
        pinned=True,
    )


def _redeclare(**changed: Any) -> Operation:
    """Return the operation that brings these new values of a declaration to the live connection."""
    return Operation(
        live={ACME: {"okta": stored(connection())}},
        wanted={ACME: {"okta": {**connection(), **changed}}},
        pinned=True,
    )


def _rotate() -> Operation:
    operation = _update(client_secret="another-secret-of-the-idp")
    operation.rotate = (f"{ACME}/*",)
    return operation


def _delete(*names: str, default: str = "") -> Operation:
    connections = {name: connection(name) for name in ("first", "second")}
    return Operation(
        live={ACME: {name: stored(fields) for name, fields in connections.items()}},
        wanted={ACME: {name: fields for name, fields in connections.items() if name not in names}},
        pinned=True,
        default=default,
    )


_INFERRED: Final[Fields] = dict.fromkeys(URLS)

CHANGES: Final[dict[str, Callable[[], Operation]]] = {
    "create": _create,
    "create, URLs inferred": lambda: _create(**_INFERRED),
    "display_name": lambda: _redeclare(display_name="Acme SSO"),
    "identity_provider": lambda: _update(identity_provider="generic"),
    "client_id": lambda: _update(client_id="another-client"),
    "client_secret": _rotate,
    **{name: partial(_update, **{name: f"{ISSUER}/another"}) for name in URLS},
    "custom_scopes": lambda: _update(custom_scopes="openid email profile"),
    "attribute_mapping": lambda: _update(attribute_mapping={"last_name": "family_name", "groups": "g"}),
    "issuer, URLs declared": lambda: _redeclare(issuer=NEW_ISSUER, **urls(NEW_ISSUER)),
    "issuer, URLs not declared": lambda: _redeclare(issuer=NEW_ISSUER, **_INFERRED),
    "scopes cleared": lambda: _redeclare(custom_scopes=()),
    "mapping cleared": lambda: _redeclare(attribute_mapping={}),
    "default connection": lambda: _delete(default="second"),
    "default connection, delete the old one": lambda: _delete("first", default="second"),
    "delete one of two": lambda: _delete("second"),
    "delete the default of two": lambda: _delete("first"),
    "delete both": lambda: _delete("first", "second"),
}
"""One organization and one kind of change: creating, updating each field alone, its default, deleting."""


def batch(live: dict[str, str], wanted: dict[str, str], edited: tuple[str, ...] = ()) -> Operation:
    """Return an operation on several connections, given as names by organization; some are edited."""
    operation = Operation(
        live={
            organization: {name: stored(connection(name, organization)) for name in names.split()}
            for organization, names in live.items()
        },
        wanted={
            organization: {name: connection(name, organization) for name in names.split()}
            for organization, names in wanted.items()
        },
    )
    for connections in operation.live.values():
        for name in connections.keys() & edited:
            connections[name]["token_url"] = "https://elsewhere.example/token"
    return operation


def _move_default() -> Operation:
    operation = batch({ACME: "old new", GLOBEX: "old new"}, {ACME: "old new", GLOBEX: "old new"})
    operation.default = "new"
    return operation


_TWO_AND_ONE: Final = {ACME: "one two", GLOBEX: "one"}

BATCHES: Final[dict[str, Callable[[], Operation]]] = {
    "create": lambda: batch({}, _TWO_AND_ONE),
    "update": lambda: batch(_TWO_AND_ONE, _TWO_AND_ONE, edited=("one", "two")),
    "default": _move_default,
    "delete": lambda: batch({ACME: "keep one two", GLOBEX: "one"}, {ACME: "keep"}),
    "mixed": lambda: batch(
        {ACME: "keep old gone", GLOBEX: "keep old"},
        {ACME: "new keep old", GLOBEX: "keep old new"},
        edited=("old",),
    ),
    "alone": lambda: batch({ACME: "old"}, {ACME: "old new"}, edited=("old",)),
}
"""Several connections in two organizations (``alone``: in one), so that each call is made more than once."""
