"""Named switches for behavior that the API's documentation leaves open."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class UnknownSwitchError(ValueError):
    """An unknown switch or value."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One open question; `values[0]` is the default.

    `number` is U1 to U36 for a question about the API, E1 and on for the emulator's own switches.
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


# number, name and values, the default first; then the question
_TABLE = """
U1 empty-string: ignored|clears|rejected
    what "" for a field does in an update
U2 null-value: ignored|clears|rejected
    what null for a field does in an update
U3 attribute-mapping: replaces|merges|empty-ignored
    what a sent attribute_mapping does to the stored one
U4 custom-scopes: verbatim|decoded|spaces-rejected|encoded
    custom_scopes: stored as sent, percent-decoded, refused with spaces, or read back percent-encoded
U5 equal-issuer: not-fetched|fetched
    discovery when the sent issuer is the stored one
U6 issuer-trailing-slash: trimmed|literal
    a trailing slash in the discovery URL
U7 failed-discovery: keeps|clears|clears-stays-active
    the old URLs after a new issuer whose discovery failed
U8 missing-endpoint: keeps|clears
    a URL that the discovery document lacks
U9 issuer-mismatch: accepted|fails
    a discovery document that names another issuer
U10 emptied-field: recomputes|stays-active
    status of an active connection with an emptied field
U11 userinfo-url: required|optional
    whether userinfo_url is needed to become active
U12 default-connection: first-active|first-created|never
    which connection becomes the organization's default
U13 delete-default: rejected|allowed|reassigns
    deleting the default connection while others exist
U14 jit-list: pruned|stale|rejected
    a deleted connection that JIT provisioning still names
U15 external-references: dangling|cascades|rejected
    deleting a connection that External connections point at
U16 not-found-type: by-operation|swapped
    error_type of a missing connection: oidc_… on update and sso_… on delete, or the other way round
U17 foreign-connection: not-found|mismatch
    a connection of another organization, with the secret
U18 other-type: not-found|rejected
    a SAML or External id on the OIDC update path
U19 client-secret: clear|masked|empty|absent
    client_secret in answers
U20 empty-lists: empty|null|absent
    a list of connections without any
U21 unset-fields: empty-string|absent|null|empty-object
    fields without a value; empty-object sends attribute_mapping as {}
U22 retry-after: absent|seconds|date
    the Retry-After header of a 429
U23 duplicate-display-name: allowed|rejected
    two connections of one display_name in an organization
U24 invalid-display-name: stored|rejected
    a display_name that is blank or beyond 128 characters
U25 rewriting: none|trims|strips-slash
    what the server does to the strings it is sent
U26 http-urls: loopback-only|accepted|rejected
    http:// as the issuer or as one of the URLs
U27 read-lag: none|N
    how many reads after a write still show what was before
U28 unknown-keys: ignored|rejected
    keys of a request body that the API does not know
U29 list-order: creation|random
    order of the connections in a list
U30 unknown-identity-provider: rejected|stored
    an identity_provider the API does not document
U31 lost-response: off|first|every
    applied writes whose answer is lost: the first of each operation and organization, or all
U32 client-authentication: basic|post
    how a login authenticates at the token endpoint
U33 login-pkce: S256|none
    PKCE in a login, towards the identity provider
U34 login-userinfo: required|optional
    whether a login fails without an answer of the userinfo endpoint
U35 failed-login: page|redirect
    what the browser gets if a login fails: a page, or a redirect to the application with an error
U36 spent-sso-token: sso_token_not_found|unauthorized_credentials
    error_type of an sso_token that is used, expired or unknown
E1 frontend-api: on|off
    whether the project lets the SDK call the frontend API
E2 dead-session: session_not_found|unauthorized_credentials|user_unauthenticated|invalid_secret_authentication
    error_type of a frontend call with an ended session
E3 frontend-error-type: application/json|text/plain
    Content-Type of the frontend API's errors
E4 discovery-fetch: loopback|everywhere|never
    hosts that discovery and logins ask; canned documents are never fetched
E5 search-total: counted|hidden
    total in a search: the number, or -1
E6 last-cursor: null|absent|empty
    next_cursor on the last page of a search
E7 search-cursor: advances|repeats
    whether the cursor of a search ever moves on
E8 new-fields: absent|present
    fields and lists that no client knows yet, in answers
E9 error-request-id: present|absent
    request_id in error answers
"""


def _switches(lines: list[str]) -> Iterator[Switch]:
    for line, summary in zip(lines[::2], lines[1::2], strict=True):
        question, _, choices = line.partition(": ")
        number, name = question.split(" ")
        values = choices.split("|")
        counts = "N" in values
        yield Switch(name, number, tuple(value for value in values if value != "N"), summary.strip(), counts)


SWITCHES: tuple[Switch, ...] = tuple(_switches(_TABLE.strip().splitlines()))

_BY_NAME = {switch.name: switch for switch in SWITCHES}


class Switches:
    """The values of all switches; `choices` are those that differ from the default.

    Raises:
        UnknownSwitchError: a name or value that is not in `SWITCHES`.
    """

    def __init__(self, choices: Mapping[str, str] | None = None) -> None:
        self.values = {switch.name: switch.default for switch in SWITCHES}
        for name, value in (choices or {}).items():
            self.set(name, value)

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def set(self, name: str, value: str) -> None:
        """Set one switch; raises `UnknownSwitchError`."""
        check_switch(name, value)
        self.values[name] = value


def check_switch(name: str, value: str) -> None:
    """Raise `UnknownSwitchError` for an unknown name or value; it suggests the nearest known one."""
    switch = _BY_NAME.get(name)
    if switch is None:
        raise UnknownSwitchError(f"unknown switch '{name}'{did_you_mean(name, _BY_NAME)}")
    if not switch.accepts(value):
        known = (switch.default, *switch.alternatives)
        raise UnknownSwitchError(
            f"unknown value '{value}' for switch '{name}'{did_you_mean(value, known)};"
            f" known: {', '.join(known)}"
        )


def parse_switch(text: str) -> tuple[str, str]:
    """Parse `NAME=VALUE` and check it; raises `UnknownSwitchError`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UnknownSwitchError(f"switch '{text}' is not of the form NAME=VALUE, as in empty-string=clears")
    check_switch(name, value)
    return name, value


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint at the end of an error: the known word nearest to `word`, or nothing."""
    matches = difflib.get_close_matches(word, tuple(known), n=1)
    return f", did you mean '{matches[0]}'?" if matches else ""
