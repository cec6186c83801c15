"""Why a text does not fit its pattern, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reconciler.manifests import text

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_IN_FULL: Final = "write it in full, such as https://login.example.com"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Objection:
    """What is wrong with a text; ``summary`` continues after the name of the field."""

    code: str
    summary: str
    hint: str = ""


_ALPHABETS: Final = {
    text.ORGANIZATION: Objection(
        "invalid-organization",
        "is not an organization_id, slug or external id",
        "2 to 128 letters, digits and . _ ~ | -",
    ),
    text.ORGANIZATION_ID: Objection(
        "invalid-organization-id",
        "is not an organization_id",
        "an organization_id begins with organization-test- or organization-live-",
    ),
    text.CONNECTION_ID: Objection(
        "invalid-connection-id",
        "is not the id of an OIDC connection",
        "it begins with oidc-connection-test- or oidc-connection-live-; SAML and External are never touched",
    ),
    text.CONNECTION_NAME: Objection(
        "invalid-connection-name",
        "is no name for a connection",
        "1 to 128 letters, digits and . _ -, beginning with a letter or digit",
    ),
    text.SCOPE: Objection(
        "invalid-scope",
        "holds a character that no scope can have",
        "a scope has no blanks, quotes or backslashes; separate scopes by single spaces, or write a list",
    ),
    text.VARIABLE: Objection(
        "invalid-variable-name",
        "is no name for a variable",
        "letters, digits and underscores, not beginning with a digit",
    ),
    text.RULE: Objection("invalid-rule", "is no rule id", "rule ids look like issuer-host-change"),
    text.PROJECT_ID: Objection(
        "invalid-project-id",
        "is not a project_id",
        "a project_id begins with project-test- or project-live-; anything else would silently mean test",
    ),
    text.PUBLIC_TOKEN: Objection(
        "invalid-public-token",
        "is not a public token",
        "a public token begins with public-token-test- or public-token-live-",
    ),
    text.GLOB: Objection(
        "invalid-glob",
        "is not a glob from the project's folder on",
        "write a relative path with slashes, such as organizations/**/*.yaml",
    ),
}


def object_to(pattern: str, value: str) -> Objection:
    """Return why ``value`` does not fit ``pattern``."""
    if pattern in _ALPHABETS:
        return _ALPHABETS[pattern]
    control = _CONTROL.search(value)
    if control:
        return Objection(
            "control-character",
            f"holds a control character (U+{ord(control[0]):04X})",
            "write it on one line, without tabs and line breaks",
        )
    if pattern == text.TRIMMED:
        return Objection("untrimmed", "begins or ends with a blank", "remove the blanks around it")
    return _object_to_url(value, pattern)


def _object_to_url(value: str, pattern: str) -> Objection:
    parts = _URL.fullmatch(value)
    if re.search(r"\s", value):
        return Objection("invalid-url", "holds a blank", "remove it, or write it as %20")
    if parts is None:
        return Objection("invalid-url", "is not a URL", "write it in full, beginning with https://")
    if parts[1] not in {"https", "http"}:
        return Objection(
            "insecure-url", "is not an https:// URL", "write it in full, beginning with https://"
        )
    return (
        _object_to_authority(parts[2])
        or _object_to_rest(parts, pattern)
        or Objection("invalid-url", "holds a character that a URL cannot have", "write it percent-encoded")
    )


def _object_to_rest(parts: re.Match[str], pattern: str) -> Objection | None:
    scheme, _authority, path, query, fragment = parts.groups()
    if fragment is not None:
        return Objection("invalid-url", "has a fragment (#)", "remove the # and what follows")
    if query is not None and pattern != text.ENDPOINT:
        return Objection("invalid-url", "has a query (?)", "remove the ? and what follows")
    if path.strip("/") and pattern == text.BASE_URL:
        return Objection("invalid-url", "has a path", "keep the scheme and host only")
    if scheme == "http" and not re.fullmatch(text.ENDPOINT, f"http://{parts[2]}"):
        return Objection(
            "insecure-url", "is not encrypted", "use https://; http:// is for loopback hosts only"
        )
    return None


def _object_to_authority(authority: str) -> Objection | None:
    host = re.sub(r":[^:\]]*$", "", authority)
    if "@" in authority:
        return Objection(
            "url-user-info", "has user information before the host", "remove it up to and with the @"
        )
    if not host:
        return Objection("invalid-url", "has no host", _IN_FULL)
    if not host.isascii():
        return Objection(
            "invalid-url",
            "has a host with letters outside ASCII",
            "write the host in its xn-- form, so that look-alikes are seen",
        )
    if not re.fullmatch(text.HOST, host):
        return Objection("invalid-url", "has a malformed host", _IN_FULL)
    if not re.fullmatch(text.PORT, authority[len(host) :]):
        return Objection(
            "invalid-url",
            "has a malformed port",
            "write the port as a number up to 65535, or remove the colon",
        )
    return None
