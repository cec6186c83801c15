"""Says why a text does not match its pattern, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reconciler.manifests import text_patterns

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_IN_FULL: Final = "write it in full, such as https://login.example.com"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What is wrong with a text; ``summary`` follows the name of the field."""

    code: str
    summary: str
    hint: str = ""


_ALPHABETS: Final = {
    text_patterns.ORGANIZATION: Mismatch(
        "invalid-organization",
        "is not an organization_id, slug or external ID",
        "2 to 128 letters, digits and . _ ~ | -",
    ),
    text_patterns.ORGANIZATION_ID: Mismatch(
        "invalid-organization-id",
        "is not an organization_id",
        "an organization_id begins with organization-test- or organization-live-",
    ),
    text_patterns.CONNECTION_ID: Mismatch(
        "invalid-connection-id",
        "is not the ID of an OIDC connection",
        "it begins with oidc-connection-test- or oidc-connection-live-; other connections are never changed",
    ),
    text_patterns.CONNECTION_NAME: Mismatch(
        "invalid-connection-name",
        "is not a valid connection name",
        "1 to 128 letters, digits and . _ -, beginning with a letter or digit",
    ),
    text_patterns.SCOPE: Mismatch(
        "invalid-scope",
        "contains a character that scopes cannot have",
        "a scope has no spaces, quotes or backslashes; separate scopes by single spaces, or write a list",
    ),
    text_patterns.VARIABLE: Mismatch(
        "invalid-variable-name",
        "is not a valid variable name",
        "letters, digits and underscores, not beginning with a digit",
    ),
    text_patterns.RULE: Mismatch("invalid-rule", "is not a rule ID", "rule IDs look like issuer-host-change"),
    text_patterns.PROJECT_ID: Mismatch(
        "invalid-project-id",
        "is not a project_id",
        "it begins with project-test- or project-live-; any other prefix is rejected",
    ),
    text_patterns.PUBLIC_TOKEN: Mismatch(
        "invalid-public-token",
        "is not a public token",
        "a public token begins with public-token-test- or public-token-live-",
    ),
    text_patterns.GLOB: Mismatch(
        "invalid-glob",
        "is not a glob relative to the project's folder",
        "write a relative path with slashes, such as organizations/**/*.yaml",
    ),
}


def describe_mismatch(pattern: str, value: str) -> Mismatch:
    """Return why ``value`` does not match ``pattern``."""
    if pattern in _ALPHABETS:
        return _ALPHABETS[pattern]
    control = _CONTROL.search(value)
    if control:
        return Mismatch(
            "control-character",
            f"contains a control character (U+{ord(control[0]):04X})",
            "write it on one line, without tabs or line breaks",
        )
    if pattern == text_patterns.TRIMMED:
        return Mismatch("untrimmed", "begins or ends with a space", "remove the spaces around it")
    return _url_mismatch(value, pattern)


def _url_mismatch(value: str, pattern: str) -> Mismatch:
    parts = _URL.fullmatch(value)
    if re.search(r"\s", value):
        return Mismatch("invalid-url", "contains a space", "remove it, or write it as %20")
    if parts is None:
        return Mismatch("invalid-url", "is not a URL", "write it in full, beginning with https://")
    if parts[1] not in {"https", "http"}:
        return Mismatch("insecure-url", "is not an https:// URL", "write it in full, beginning with https://")
    return (
        _authority_mismatch(parts[2])
        or _rest_mismatch(parts, pattern)
        or Mismatch("invalid-url", "contains a character that a URL cannot have", "write it percent-encoded")
    )


def _rest_mismatch(parts: re.Match[str], pattern: str) -> Mismatch | None:
    scheme, _authority, path, query, fragment = parts.groups()
    if fragment is not None:
        return Mismatch("invalid-url", "has a fragment (#)", "remove the # and everything after it")
    if query is not None and pattern != text_patterns.ENDPOINT:
        return Mismatch("invalid-url", "has a query (?)", "remove the ? and everything after it")
    if path.strip("/") and pattern == text_patterns.BASE_URL:
        return Mismatch("invalid-url", "has a path", "keep only the scheme and the host")
    if scheme == "http" and not re.fullmatch(text_patterns.ENDPOINT, f"http://{parts[2]}"):
        return Mismatch(
            "insecure-url", "is not encrypted", "use https://; http:// is for loopback hosts only"
        )
    return None


def _authority_mismatch(authority: str) -> Mismatch | None:
    host = re.sub(r":[^:\]]*$", "", authority)
    if "@" in authority:
        return Mismatch(
            "url-user-info", "has user information before the host", "remove everything up to the @"
        )
    if not host:
        return Mismatch("invalid-url", "has no host", _IN_FULL)
    if not host.isascii():
        return Mismatch(
            "invalid-url",
            "has a host with non-ASCII letters",
            "write the host in its xn-- form, so that look-alike letters are visible",
        )
    if not re.fullmatch(text_patterns.HOST, host):
        return Mismatch("invalid-url", "has a malformed host", _IN_FULL)
    if not re.fullmatch(text_patterns.PORT, authority[len(host) :]):
        return Mismatch(
            "invalid-url",
            "has a malformed port",
            "write the port as a number up to 65535, or remove the colon",
        )
    return None
