"""Regular expressions for the strings of a manifest, and messages about strings that do not match.

The patterns use the syntax that Rust, Python and JavaScript share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from reconciler.core.codes import Code


ORGANIZATION_ID: Final = r"^organization-[A-Za-z0-9-]{1,115}$"
CONNECTION_ID: Final = r"^oidc-connection-[A-Za-z0-9-]{1,112}$"
ORGANIZATION: Final = r"^[A-Za-z0-9._~|-]{2,128}$"
"""An organization_id, a slug or an external id (their alphabets: parameter docs of the API)."""

CONNECTION_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
ADDRESS: Final = f"{ORGANIZATION[:-1]}/{CONNECTION_NAME[1:]}"
FINGERPRINT: Final = r"^[0-9a-f]{32}$"
VARIABLE: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
RULE: Final = r"^[a-z][a-z0-9-]{0,127}$"

TRIMMED: Final = r"^[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
SCOPE: Final = r"^[\x21\x23\x24\x26-\x2b\x2d-\x5b\x5d-\x7e]+$"
"""A scope token of RFC 6749, section 3.3, without `,` and `%`: scopes are written plainly."""

_LOOPBACK: Final = r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])"
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_H16: Final = "[0-9A-Fa-f]{1,4}"
_BYTE: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LS32: Final = rf"(?:{_H16}:{_H16}|{_BYTE}(?:\.{_BYTE}){{3}})"
_IPV6: Final = (
    f"(?:(?:{_H16}:){{6}}{_LS32}|::(?:{_H16}:){{5}}{_LS32}"
    f"|(?:{_H16})?::(?:{_H16}:){{4}}{_LS32}"
    f"|(?:(?:{_H16}:){{0,1}}{_H16})?::(?:{_H16}:){{3}}{_LS32}"
    f"|(?:(?:{_H16}:){{0,2}}{_H16})?::(?:{_H16}:){{2}}{_LS32}"
    f"|(?:(?:{_H16}:){{0,3}}{_H16})?::{_H16}:{_LS32}"
    f"|(?:(?:{_H16}:){{0,4}}{_H16})?::{_LS32}"
    f"|(?:(?:{_H16}:){{0,5}}{_H16})?::{_H16}"
    f"|(?:(?:{_H16}:){{0,6}}{_H16})?::)"
)
"""IPv6address of RFC 3986, section 3.2.2."""

HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[{_IPV6}\])"
"""An address in brackets, or a name whose labels have 1 to 63 characters (RFC 1035, section 2.3.4)."""

PORT: Final = (
    r"(?::(?:[0-9]{1,4}|[1-5][0-9]{4}|6(?:[0-4][0-9]{3}|5(?:[0-4][0-9]{2}|5(?:[0-2][0-9]|3[0-5])))))?"
)
"""At most 65535."""

_PATH: Final = r"(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?"
_QUERY: Final = r"(?:\?[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?"
ORIGIN: Final = rf"(?:https://{HOST}|http://{_LOOPBACK}){PORT}"
"""Scheme, host and port of a URL (RFC 6454)."""

ISSUER: Final = rf"^{ORIGIN}{_PATH}$"
"""A URL without query and fragment (OpenID Connect Discovery 1.0, section 3)."""

ENDPOINT: Final = rf"^{ORIGIN}{_PATH}{_QUERY}$"

PLACEHOLDER: Final = r"\{[^{}]*\}|<[^<>]*>|%7[Bb].*?%7[Dd]|%3[Cc].*?%3[Ee]"
"""A part of a URL to be replaced, such as `{tenantid}` or `<tenant>`, perhaps percent-encoded."""

WELL_KNOWN: Final = r"/\.well-known/(?:openid-configuration|oauth-authorization-server)/*$"
"""The end of the URL of a provider's metadata (OpenID Connect Discovery 1.0, section 4; RFC 8414)."""

UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)
"""Characters that are invisible, or change how others are displayed (control, bidi, zero width)."""

PROJECT_ID: Final = r"^project-(?:test|live)-[A-Za-z0-9-]{1,100}$"
ENVIRONMENT: Final = rf"^(?:test|live|{PROJECT_ID[1:-1]})$"
PUBLIC_TOKEN: Final = r"^public-token-(?:test|live)-[A-Za-z0-9-]{1,100}$"  # noqa: S105 - the shape, not a token
BASE_URL: Final = rf"^{ORIGIN}/?$"
GLOB: Final = r"^[^/\x00-\x1f\x7f\\][^\x00-\x1f\x7f\\]*$"
"""A glob relative to the project's folder, with slashes."""

HOST_GLOB: Final = r"^[A-Za-z0-9*?][A-Za-z0-9*?._-]{0,252}$"
NETWORK: Final = r"^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}$"
"""Whether the numbers make up a network is checked elsewhere."""


_WELL_KNOWN_AND_REST: Final = re.compile(WELL_KNOWN.removesuffix("$") + r"(?:[?#].*)?$")
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_IN_FULL: Final = "write it in full, such as https://login.example.com"
NO_BREAK_SPACE: Final = "\u00a0"
_IN_SMART_QUOTES: Final = re.compile(
    "[\u201c\u201d\u201e\u2018\u2019\u201a].*[\u201c\u201d\u2018\u2019]", re.DOTALL
)
MISSING_BLANK: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]{0,127}):(?!//)[^ \t\r\n]")
_LONGEST_HINT: Final = 300
_SHELL_VARIABLE: Final = re.compile(r"\$[A-Z_][A-Z0-9_]*|%[A-Z_][A-Z0-9_]*%")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What is wrong with a text; ``summary`` follows the name of the field."""

    code: Code
    summary: str
    hint: str = ""


AGE_RECIPIENT: Final = r"^age1[ac-hj-np-z02-9]{58}$"
"""An X25519 recipient of age, in Bech32."""

INVALID_NETWORK: Final = Mismatch(
    "invalid-network", "is not a network", "write its first address and the length of its prefix: 10.1.0.0/16"
)

_ALPHABETS: Final = {
    ORGANIZATION: Mismatch(
        "invalid-organization",
        "is not an organization_id, slug or external ID",
        "2 to 128 letters, digits and . _ ~ | -",
    ),
    ORGANIZATION_ID: Mismatch(
        "invalid-organization-id",
        "is not an organization_id",
        "an organization_id begins with organization-test- or organization-live-",
    ),
    CONNECTION_ID: Mismatch(
        "invalid-connection-id",
        "is not the ID of an OIDC connection",
        "it begins with oidc-connection-test- or oidc-connection-live-; other connections are never changed",
    ),
    CONNECTION_NAME: Mismatch(
        "invalid-connection-name",
        "is not a valid connection name",
        "1 to 128 letters, digits and . _ -, beginning with a letter or digit",
    ),
    ADDRESS: Mismatch(
        "invalid-address",
        "is not the address of one connection",
        "write organization/connection, without wildcards, as in the plan",
    ),
    FINGERPRINT: Mismatch(
        "invalid-finding",
        "is not a fingerprint",
        "copy the 32 characters that the plan shows after `finding`, or leave the key out",
    ),
    SCOPE: Mismatch(
        "invalid-scope",
        "contains a character that scopes cannot have",
        "a scope has no spaces, commas, quotes or backslashes, and is not percent-encoded; "
        "write custom_scopes: [openid, email, profile]",
    ),
    VARIABLE: Mismatch(
        "invalid-variable-name",
        "is not a valid variable name",
        "letters, digits and underscores, not beginning with a digit",
    ),
    RULE: Mismatch("invalid-rule", "is not a rule ID", "rule IDs look like issuer-host-change"),
    PROJECT_ID: Mismatch(
        "invalid-project-id",
        "is not a project_id",
        "it begins with project-test- or project-live-; any other prefix is rejected",
    ),
    ENVIRONMENT: Mismatch(
        "unknown-environment",
        "is not an environment",
        "the keys are test, live, or a project_id, which takes precedence",
    ),
    PUBLIC_TOKEN: Mismatch(
        "invalid-public-token",
        "is not a public token",
        "a public token begins with public-token-test- or public-token-live-",
    ),
    GLOB: Mismatch(
        "invalid-glob",
        "is not a glob relative to the project's folder",
        "write a relative path with slashes, such as organizations/**/*.yaml",
    ),
    HOST_GLOB: Mismatch(
        "invalid-host-glob",
        "is not a glob of host names",
        "write it without scheme, port or path: *.okta.com",
    ),
    NETWORK: INVALID_NETWORK,
    AGE_RECIPIENT: Mismatch(
        "invalid-recipient", "is not a recipient of age", "write the public key: age1 and 58 more characters"
    ),
}


def describe_mismatch(pattern: str, value: str) -> Mismatch:
    """Return why ``value`` does not match ``pattern``."""
    typographic = find_typographic(value)
    if typographic is not None:
        return typographic
    if pattern == SCOPE and (scopes := plain_scopes(value)):
        return Mismatch(
            "invalid-scope",
            "has scopes that are percent-encoded or separated by commas",
            f"write them plainly, one by one: [{', '.join(scopes)}]",
        )
    if pattern in _ALPHABETS:
        return _ALPHABETS[pattern]
    control = _CONTROL.search(value)
    if control:
        return Mismatch(
            "control-character",
            f"contains a control character (U+{ord(control[0]):04X})",
            "write it on one line, without tabs or line breaks",
        )
    if pattern == TRIMMED:
        return Mismatch("untrimmed", "begins or ends with a space", "remove the spaces around it")
    return _url_mismatch(value, pattern)


def plain_scopes(text: str) -> list[str]:
    """Return the scopes in a text that separates them by commas or percent-encodes them; none if unclear."""
    scopes = [scope for scope in re.split(r"[\s,]+", unquote(text)) if scope]
    is_clear = len(text) <= _LONGEST_HINT and all(re.fullmatch(SCOPE, scope) for scope in scopes)
    return scopes if is_clear else []


def missing_blank(text: str) -> str:
    """Return the key of a text such as ``key:value``, whose colon makes it no key; empty if it has none."""
    match = MISSING_BLANK.match(text)
    return match[1] if match else ""


def shell_variable(text: str) -> bool:
    """Whether a text has the form of a shell's variable, such as ``$NAME``."""
    return _SHELL_VARIABLE.fullmatch(text) is not None


def find_typographic(value: str) -> Mismatch | None:
    """Return what a word processor or a chat put in place of quotes around a value, or of a space in it."""
    if NO_BREAK_SPACE in value:
        return Mismatch(
            "no-break-space", "contains a no-break space (U+00A0)", "replace it by a space, or remove it"
        )
    if _IN_SMART_QUOTES.fullmatch(value):
        return Mismatch(
            "smart-quotes",
            "has typographic quotes around it, which YAML reads as a part of the value",
            "write straight quotes (' or \"), or none",
        )
    return None


def _url_mismatch(value: str, pattern: str) -> Mismatch:
    parts = _URL.fullmatch(value)
    if re.search(r"\s", value):
        return Mismatch("invalid-url", "contains a space", "remove it, or write it as %20")
    if parts is None:
        is_host = pattern != BASE_URL and "." in value and re.fullmatch(ENDPOINT, f"https://{value}")
        return Mismatch(
            "invalid-url",
            "is not a URL",
            f"write it in full: https://{value}" if is_host else "write it in full, beginning with https://",
        )
    if parts[1] not in {"https", "http"}:
        return Mismatch("insecure-url", "is not an https:// URL", "write it in full, beginning with https://")
    return (
        _user_information(parts[2])
        or _placeholder_mismatch(value)
        or _well_known_mismatch(value, pattern)
        or _authority_mismatch(parts[2])
        or _rest_mismatch(parts, pattern)
        or Mismatch("invalid-url", "contains a character that a URL cannot have", "write it percent-encoded")
    )


def _user_information(authority: str) -> Mismatch | None:
    if "@" not in authority:
        return None
    return Mismatch("url-user-info", "has user information before the host", "remove everything up to the @")


def _placeholder_mismatch(value: str) -> Mismatch | None:
    placeholder = re.search(PLACEHOLDER, value)
    if placeholder is None:
        return None
    text = unquote(placeholder[0])
    what = "the tenant's ID" if "tenant" in text.lower() else "its value"
    return Mismatch(
        "url-placeholder", f"holds the placeholder {text[:80]}", f"put {what} in place of {text[:80]}"
    )


def _well_known_mismatch(value: str, pattern: str) -> Mismatch | None:
    if pattern not in {ISSUER, WELL_KNOWN}:
        return None
    issuer, count = _WELL_KNOWN_AND_REST.subn("", value)
    if not count:
        return None
    return Mismatch(
        "issuer-is-metadata-url",
        "is the URL of the provider's metadata, not its issuer",
        f"write {issuer}, exactly as `issuer` in that metadata",
    )


def _rest_mismatch(parts: re.Match[str], pattern: str) -> Mismatch | None:
    scheme, _authority, path, query, fragment = parts.groups()
    if fragment is not None:
        return Mismatch("invalid-url", "has a fragment (#)", "remove the # and everything after it")
    if query is not None and pattern != ENDPOINT:
        return Mismatch("invalid-url", "has a query (?)", "remove the ? and everything after it")
    if path.strip("/") and pattern == BASE_URL:
        return Mismatch("invalid-url", "has a path", "keep only the scheme and the host")
    if scheme == "http" and not re.fullmatch(ENDPOINT, f"http://{parts[2]}"):
        return Mismatch(
            "insecure-url", "is not encrypted", "use https://; http:// is for loopback hosts only"
        )
    return None


def _authority_mismatch(authority: str) -> Mismatch | None:
    host = re.sub(r":[^:\]]*$", "", authority)
    if not host:
        return Mismatch("invalid-url", "has no host", _IN_FULL)
    if not host.isascii():
        return Mismatch(
            "invalid-url",
            "has a host with non-ASCII letters",
            "write the host in its xn-- form, so that look-alike letters are visible",
        )
    if not re.fullmatch(HOST, host):
        return Mismatch("invalid-url", "has a malformed host", _IN_FULL)
    if not re.fullmatch(PORT, authority[len(host) :]):
        return Mismatch(
            "invalid-url",
            "has a malformed port",
            "write the port as a number up to 65535, or remove the colon",
        )
    return None
