"""What is to be reconciled: each operation as what is live before it and what is declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.support.estate import REFERENCE, SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable

Fields = dict[str, Any]

SECRET: Final = SECRETS[REFERENCE].reveal()
ISSUER: Final = "https://login.acme.example"
NEW_ISSUER: Final = "https://new.acme.example"
URLS: Final = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
_PATHS: Final = ("authorize", "token", "userinfo", "keys")


@dataclass
class Case:
    """``live`` is what is stored, by name, the first one being the default connection.

    ``wanted`` is what is declared; what is live and not wanted is declared absent. ``rotates`` asks
    for secrets to be sent even if it cannot be seen that they differ; with ``is_gone_meanwhile``
    somebody else deletes first what is to be deleted.
    """

    live: dict[str, Fields] = field(default_factory=dict)
    wanted: dict[str, Fields] = field(default_factory=dict)
    rotates: bool = False
    is_gone_meanwhile: bool = False


def connection_id(name: str) -> str:
    """Return the id that a live connection of a case has."""
    return f"oidc-connection-test-{name}"


def complete(name: str = "okta", issuer: str = ISSUER) -> Fields:
    """Return a connection as it is declared, with every field."""
    return {
        "display_name": f"Acme {name}",
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
    found = {**fields, "client_secret": SECRET}
    if "custom_scopes" in found:
        found["custom_scopes"] = " ".join(found["custom_scopes"])
    return found


def _create(**changed: Any) -> Case:
    return Case(wanted={"okta": {**complete(), **changed}})


def _update(**changed: Any) -> Case:
    """Return the case that these values of a live connection differ from what is declared."""
    return Case(live={"okta": {**stored(complete()), **changed}}, wanted={"okta": complete()})


def _new_issuer(**changed: Any) -> Case:
    return Case(live={"okta": stored(complete())}, wanted={"okta": {**complete(), **changed}})


def _delete(*names: str) -> Case:
    live = {name: complete(name) for name in ("first", "second")}
    return Case(
        live={name: stored(fields) for name, fields in live.items()},
        wanted={name: fields for name, fields in live.items() if name not in names},
    )


_INFERRED: Final[Fields] = dict.fromkeys(URLS)

OPERATIONS: Final[dict[str, Callable[[], Case]]] = {
    "create": _create,
    "create, URLs inferred": lambda: _create(**_INFERRED),
    "display_name": lambda: Case(
        live={"okta": stored(complete())}, wanted={"okta": {**complete(), "display_name": "Acme SSO"}}
    ),
    "identity_provider": lambda: _update(identity_provider="generic"),
    "client_id": lambda: _update(client_id="another-client"),
    "client_secret": lambda: Case(
        live={"okta": {**stored(complete()), "client_secret": "another-secret-of-the-idp"}},
        wanted={"okta": complete()},
        rotates=True,
    ),
    **{name: partial(_update, **{name: f"{ISSUER}/another"}) for name in URLS},
    "custom_scopes": lambda: _update(custom_scopes="openid email profile"),
    "attribute_mapping": lambda: _update(attribute_mapping={"last_name": "family_name", "groups": "g"}),
    "issuer, URLs declared": lambda: _new_issuer(issuer=NEW_ISSUER, **urls(NEW_ISSUER)),
    "issuer, URLs not declared": lambda: _new_issuer(issuer=NEW_ISSUER, **_INFERRED),
    "scopes cleared": lambda: _new_issuer(custom_scopes=()),
    "mapping cleared": lambda: _new_issuer(attribute_mapping={}),
    "delete one of two": lambda: _delete("second"),
    "delete the default of two": lambda: _delete("first"),
    "delete both": lambda: _delete("first", "second"),
}
"""Every operation: creating, updating each field alone, a new issuer, clearing, deleting."""
