"""The named switches for what the API's documentation leaves open."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnknownBehaviourError(ValueError):
    """A switch or an alternative that does not exist."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One open question: `values[0]` is the default.

    `number` is the question's number, U1 to U31, or E1 and on for the emulator's own switches.
    """

    name: str
    number: str
    values: tuple[str, ...]
    summary: str
    counts: bool = False  # a whole number is a value too

    @property
    def default(self) -> str:
        """What the emulator does unless told otherwise."""
        return self.values[0]

    @property
    def alternatives(self) -> tuple[str, ...]:
        """What it can be told to do instead."""
        return (*self.values[1:], "N") if self.counts else self.values[1:]

    def accepts(self, value: str) -> bool:
        """Whether `value` is one of the switch's positions."""
        return value in self.values or (self.counts and value.isascii() and value.isdigit())


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour(
        "empty-string", "U1", ("ignored", "clears", "rejected"), 'what "" for a field does in an update'
    ),
    Behaviour(
        "null-value", "U2", ("ignored", "clears", "rejected"), "what null for a field does in an update"
    ),
    Behaviour(
        "attribute-mapping",
        "U3",
        ("replaces", "merges", "empty-ignored"),
        "what a sent attribute_mapping does to the stored one",
    ),
    Behaviour(
        "custom-scopes",
        "U4",
        ("verbatim", "decoded", "spaces-rejected", "encoded"),
        "custom_scopes: stored as sent, percent-decoded, refused with spaces, or read back percent-encoded",
    ),
    Behaviour(
        "equal-issuer", "U5", ("not-fetched", "fetched"), "discovery when the sent issuer is the stored one"
    ),
    Behaviour("issuer-trailing-slash", "U6", ("trimmed", "literal"), "a trailing slash in the discovery URL"),
    Behaviour(
        "failed-discovery",
        "U7",
        ("keeps", "clears", "clears-stays-active"),
        "the old URLs after a new issuer whose discovery failed",
    ),
    Behaviour("missing-endpoint", "U8", ("keeps", "clears"), "a URL that the discovery document lacks"),
    Behaviour(
        "issuer-mismatch", "U9", ("accepted", "fails"), "a discovery document that names another issuer"
    ),
    Behaviour(
        "emptied-field",
        "U10",
        ("recomputes", "stays-active"),
        "status of an active connection with an emptied field",
    ),
    Behaviour(
        "userinfo-url", "U11", ("required", "optional"), "whether userinfo_url is needed to become active"
    ),
    Behaviour(
        "default-connection",
        "U12",
        ("first-active", "first-created", "never"),
        "which connection becomes the organization's default",
    ),
    Behaviour(
        "delete-default",
        "U13",
        ("rejected", "allowed", "reassigns"),
        "deleting the default connection while others exist",
    ),
    Behaviour(
        "jit-list",
        "U14",
        ("pruned", "stale", "rejected"),
        "a deleted connection that JIT provisioning still names",
    ),
    Behaviour(
        "external-references",
        "U15",
        ("dangling", "cascades", "rejected"),
        "deleting a connection that External connections point at",
    ),
    Behaviour(
        "not-found-type",
        "U16",
        ("by-operation", "swapped"),
        "error_type of a missing connection: oidc_… on update and sso_… on delete, or the other way round",
    ),
    Behaviour(
        "foreign-connection",
        "U17",
        ("not-found", "mismatch"),
        "a connection of another organization, with the secret",
    ),
    Behaviour(
        "other-type", "U18", ("not-found", "rejected"), "a SAML or External id on the OIDC update path"
    ),
    Behaviour("client-secret", "U19", ("clear", "masked"), "client_secret in answers"),
    Behaviour("empty-lists", "U20", ("empty", "null", "absent"), "a list of connections without any"),
    Behaviour(
        "unset-fields",
        "U21",
        ("empty-string", "absent", "null", "empty-object"),
        "fields without a value; empty-object sends attribute_mapping as {}",
    ),
    Behaviour("retry-after", "U22", ("absent", "seconds", "date"), "the Retry-After header of a 429"),
    Behaviour(
        "duplicate-display-name",
        "U23",
        ("allowed", "rejected"),
        "two connections of one display_name in an organization",
    ),
    Behaviour(
        "invalid-display-name",
        "U24",
        ("stored", "rejected"),
        "a display_name that is blank or beyond 128 characters",
    ),
    Behaviour(
        "rewriting",
        "U25",
        ("none", "trims", "strips-slash"),
        "what the server does to the strings it is sent",
    ),
    Behaviour(
        "http-urls",
        "U26",
        ("loopback-only", "accepted", "rejected"),
        "http:// as the issuer or as one of the URLs",
    ),
    Behaviour(
        "read-lag", "U27", ("none",), "how many reads after a write still show what was before", counts=True
    ),
    Behaviour(
        "unknown-keys", "U28", ("ignored", "rejected"), "keys of a request body that the API does not know"
    ),
    Behaviour("list-order", "U29", ("creation", "random"), "order of the connections in a list"),
    Behaviour(
        "unknown-identity-provider",
        "U30",
        ("rejected", "stored"),
        "an identity_provider the API does not document",
    ),
    Behaviour(
        "lost-response",
        "U31",
        ("off", "first", "every"),
        "applied writes whose answer is lost: the first of each operation and organization, or all",
    ),
    Behaviour("frontend-api", "E1", ("on", "off"), "whether the project lets the SDK call the frontend API"),
    Behaviour(
        "dead-session",
        "E2",
        (
            "session_not_found",
            "unauthorized_credentials",
            "user_unauthenticated",
            "invalid_secret_authentication",
        ),
        "error_type of a frontend call with an ended session",
    ),
    Behaviour(
        "frontend-error-type",
        "E3",
        ("application/json", "text/plain"),
        "Content-Type of the frontend API's errors",
    ),
    Behaviour(
        "discovery-fetch",
        "E4",
        ("loopback", "everywhere", "never"),
        "issuers whose discovery document is fetched; canned ones never are",
    ),
    Behaviour("search-total", "E5", ("counted", "hidden"), "total in a search: the number, or -1"),
    Behaviour("last-cursor", "E6", ("null", "absent", "empty"), "next_cursor on the last page of a search"),
    Behaviour("search-cursor", "E7", ("advances", "repeats"), "whether the cursor of a search ever moves on"),
    Behaviour(
        "new-fields", "E8", ("absent", "present"), "fields and lists that no client knows yet, in answers"
    ),
    Behaviour("error-request-id", "E9", ("present", "absent"), "request_id in error answers"),
)

_BY_NAME = {behaviour.name: behaviour for behaviour in BEHAVIOURS}


class Behaviours:
    """The positions of all switches; `choices` are the ones that differ from the default.

    Raises:
        UnknownBehaviourError: a name or value that is not in `BEHAVIOURS`.
    """

    def __init__(self, choices: Mapping[str, str] | None = None) -> None:
        self._positions = {behaviour.name: behaviour.default for behaviour in BEHAVIOURS}
        for name, value in (choices or {}).items():
            self.set(name, value)

    def __getitem__(self, name: str) -> str:
        return self._positions[name]

    def set(self, name: str, value: str) -> None:
        """Move one switch, see `check_behaviour`."""
        check_behaviour(name, value)
        self._positions[name] = value

    def as_mapping(self) -> dict[str, str]:
        """Every switch with its position."""
        return dict(self._positions)


def check_behaviour(name: str, value: str) -> None:
    """Raise `UnknownBehaviourError` with the nearest known name or value."""
    behaviour = _BY_NAME.get(name)
    if behaviour is None:
        raise UnknownBehaviourError(f"unknown behaviour '{name}'{_nearest(name, tuple(_BY_NAME))}")
    if not behaviour.accepts(value):
        known = (behaviour.default, *behaviour.alternatives)
        raise UnknownBehaviourError(
            f"unknown value '{value}' for behaviour '{name}'{_nearest(value, known)};"
            f" known: {', '.join(known)}"
        )


def parse_behaviour(text: str) -> tuple[str, str]:
    """`NAME=VALUE` as a pair, checked; raises `UnknownBehaviourError`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UnknownBehaviourError(
            f"behaviour '{text}' is not of the form NAME=VALUE, as in empty-string=clears"
        )
    check_behaviour(name, value)
    return name, value


def _nearest(wanted: str, known: tuple[str, ...]) -> str:
    matches = difflib.get_close_matches(wanted, known, n=1)
    return f", did you mean '{matches[0]}'?" if matches else ""
