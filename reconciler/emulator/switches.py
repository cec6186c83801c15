"""Named switches for behaviour that the API's documentation leaves open."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnknownSwitchError(ValueError):
    """An unknown switch or value."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question; `values[0]` is the default.

    `number` is U1 to U31 for a question about the API, E1 and on for the emulator's own switches.
    """

    name: str
    number: str
    values: tuple[str, ...]
    summary: str
    counts: bool = False  # whole numbers are values too

    @property
    def default(self) -> str:
        """The value that applies unless another one is set."""
        return self.values[0]

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The other values; `N` stands for any whole number."""
        return (*self.values[1:], "N") if self.counts else self.values[1:]

    def accepts(self, value: str) -> bool:
        """Whether `value` is allowed."""
        return value in self.values or (self.counts and value.isascii() and value.isdigit())


SWITCHES: tuple[Switch, ...] = (
    Switch("empty-string", "U1", ("ignored", "clears", "rejected"), 'what "" for a field does in an update'),
    Switch("null-value", "U2", ("ignored", "clears", "rejected"), "what null for a field does in an update"),
    Switch(
        "attribute-mapping",
        "U3",
        ("replaces", "merges", "empty-ignored"),
        "what a sent attribute_mapping does to the stored one",
    ),
    Switch(
        "custom-scopes",
        "U4",
        ("verbatim", "decoded", "spaces-rejected", "encoded"),
        "custom_scopes: stored as sent, percent-decoded, refused with spaces, or read back percent-encoded",
    ),
    Switch(
        "equal-issuer", "U5", ("not-fetched", "fetched"), "discovery when the sent issuer is the stored one"
    ),
    Switch("issuer-trailing-slash", "U6", ("trimmed", "literal"), "a trailing slash in the discovery URL"),
    Switch(
        "failed-discovery",
        "U7",
        ("keeps", "clears", "clears-stays-active"),
        "the old URLs after a new issuer whose discovery failed",
    ),
    Switch("missing-endpoint", "U8", ("keeps", "clears"), "a URL that the discovery document lacks"),
    Switch("issuer-mismatch", "U9", ("accepted", "fails"), "a discovery document that names another issuer"),
    Switch(
        "emptied-field",
        "U10",
        ("recomputes", "stays-active"),
        "status of an active connection with an emptied field",
    ),
    Switch(
        "userinfo-url", "U11", ("required", "optional"), "whether userinfo_url is needed to become active"
    ),
    Switch(
        "default-connection",
        "U12",
        ("first-active", "first-created", "never"),
        "which connection becomes the organization's default",
    ),
    Switch(
        "delete-default",
        "U13",
        ("rejected", "allowed", "reassigns"),
        "deleting the default connection while others exist",
    ),
    Switch(
        "jit-list",
        "U14",
        ("pruned", "stale", "rejected"),
        "a deleted connection that JIT provisioning still names",
    ),
    Switch(
        "external-references",
        "U15",
        ("dangling", "cascades", "rejected"),
        "deleting a connection that External connections point at",
    ),
    Switch(
        "not-found-type",
        "U16",
        ("by-operation", "swapped"),
        "error_type of a missing connection: oidc_… on update and sso_… on delete, or the other way round",
    ),
    Switch(
        "foreign-connection",
        "U17",
        ("not-found", "mismatch"),
        "a connection of another organization, with the secret",
    ),
    Switch("other-type", "U18", ("not-found", "rejected"), "a SAML or External id on the OIDC update path"),
    Switch("client-secret", "U19", ("clear", "masked"), "client_secret in answers"),
    Switch("empty-lists", "U20", ("empty", "null", "absent"), "a list of connections without any"),
    Switch(
        "unset-fields",
        "U21",
        ("empty-string", "absent", "null", "empty-object"),
        "fields without a value; empty-object sends attribute_mapping as {}",
    ),
    Switch("retry-after", "U22", ("absent", "seconds", "date"), "the Retry-After header of a 429"),
    Switch(
        "duplicate-display-name",
        "U23",
        ("allowed", "rejected"),
        "two connections of one display_name in an organization",
    ),
    Switch(
        "invalid-display-name",
        "U24",
        ("stored", "rejected"),
        "a display_name that is blank or beyond 128 characters",
    ),
    Switch(
        "rewriting",
        "U25",
        ("none", "trims", "strips-slash"),
        "what the server does to the strings it is sent",
    ),
    Switch(
        "http-urls",
        "U26",
        ("loopback-only", "accepted", "rejected"),
        "http:// as the issuer or as one of the URLs",
    ),
    Switch(
        "read-lag", "U27", ("none",), "how many reads after a write still show what was before", counts=True
    ),
    Switch(
        "unknown-keys", "U28", ("ignored", "rejected"), "keys of a request body that the API does not know"
    ),
    Switch("list-order", "U29", ("creation", "random"), "order of the connections in a list"),
    Switch(
        "unknown-identity-provider",
        "U30",
        ("rejected", "stored"),
        "an identity_provider the API does not document",
    ),
    Switch(
        "lost-response",
        "U31",
        ("off", "first", "every"),
        "applied writes whose answer is lost: the first of each operation and organization, or all",
    ),
    Switch("frontend-api", "E1", ("on", "off"), "whether the project lets the SDK call the frontend API"),
    Switch(
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
    Switch(
        "frontend-error-type",
        "E3",
        ("application/json", "text/plain"),
        "Content-Type of the frontend API's errors",
    ),
    Switch(
        "discovery-fetch",
        "E4",
        ("loopback", "everywhere", "never"),
        "issuers whose discovery document is fetched; canned ones never are",
    ),
    Switch("search-total", "E5", ("counted", "hidden"), "total in a search: the number, or -1"),
    Switch("last-cursor", "E6", ("null", "absent", "empty"), "next_cursor on the last page of a search"),
    Switch("search-cursor", "E7", ("advances", "repeats"), "whether the cursor of a search ever moves on"),
    Switch(
        "new-fields", "E8", ("absent", "present"), "fields and lists that no client knows yet, in answers"
    ),
    Switch("error-request-id", "E9", ("present", "absent"), "request_id in error answers"),
)

_BY_NAME = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The values of all switches; `choices` are those that differ from the default.

    Raises:
        UnknownSwitchError: a name or value that is not in `SWITCHES`.
    """

    def __init__(self, choices: Mapping[str, str] | None = None) -> None:
        self._values = {switch.name: switch.default for switch in SWITCHES}
        for name, value in (choices or {}).items():
            self.set(name, value)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def set(self, name: str, value: str) -> None:
        """Set one switch; raises `UnknownSwitchError`."""
        check_switch(name, value)
        self._values[name] = value

    def as_mapping(self) -> dict[str, str]:
        """All switches with their values."""
        return dict(self._values)


def check_switch(name: str, value: str) -> None:
    """Raise `UnknownSwitchError` for an unknown name or value; it suggests the nearest known one."""
    switch = _BY_NAME.get(name)
    if switch is None:
        raise UnknownSwitchError(f"unknown behaviour '{name}'{_nearest(name, tuple(_BY_NAME))}")
    if not switch.accepts(value):
        known = (switch.default, *switch.alternatives)
        raise UnknownSwitchError(
            f"unknown value '{value}' for behaviour '{name}'{_nearest(value, known)};"
            f" known: {', '.join(known)}"
        )


def parse_switch(text: str) -> tuple[str, str]:
    """Parse `NAME=VALUE` and check it; raises `UnknownSwitchError`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UnknownSwitchError(
            f"behaviour '{text}' is not of the form NAME=VALUE, as in empty-string=clears"
        )
    check_switch(name, value)
    return name, value


def _nearest(wanted: str, known: tuple[str, ...]) -> str:
    matches = difflib.get_close_matches(wanted, known, n=1)
    return f", did you mean '{matches[0]}'?" if matches else ""
