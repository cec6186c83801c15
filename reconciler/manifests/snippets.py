"""Which line of a file may be shown beside a finding, since a line may hold a secret."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Snippet
from reconciler.manifests.text import UNSAFE

if TYPE_CHECKING:
    from reconciler.manifests.places import Span
    from reconciler.manifests.source import Source

MASK: Final = "…"

_SHOWN_KEYS: Final = frozenset(
    [
        "organization",
        "organization_id",
        "prune",
        "connections",
        "display_name",
        "identity_provider",
        "issuer",
        "client_id",
        "authorization_url",
        "token_url",
        "userinfo_url",
        "jwks_url",
        "custom_scopes",
        "connection_id",
        "previous_display_names",
        "state",
        "discovery",
        "secret_expires_on",
        "lifecycle",
        "prevent_destroy",
        "ignore_changes",
        "version",
        "target",
        "project_id",
        "base_url",
        "organizations",
        "vars",
        "defaults",
        "limits",
        "max_deletes",
        "max_delete_percent",
        "requests_per_second",
        "concurrency",
        "policies",
        "secrets",
        "env",
        "file",
        "allow",
    ],
)
_SUSPICIOUS: Final = re.compile(r"secret|passw|token|credential|private", re.IGNORECASE)
_HARMLESS: Final = re.compile(r"secret_expires_on|token_url|^\s*secrets(?=:)")
_KEYED: Final = re.compile(r"(\s*(?:- +)*)([\"']?)([^\s\"':{}\[\],&*!#]+)\2\s*:(?=\s|$)")
_INNER_KEY: Final = re.compile(r"([^\s\"':{}\[\],]+)[\"']?\s*:(?=\s|$)")
_AS_CLOSE_AS_A_SLIP: Final = 0.7
_LONGEST: Final = 200
_REPLACEMENT: Final = "\ufffd"


def make_snippet(source: Source, span: Span, *, is_harmless: bool = False) -> Snippet | None:
    """Return the line of a finding, or what of it may be shown.

    ``is_harmless`` says that the values on this line are known to be no secrets.
    """
    line, start = source.line(span.start)
    if len(line) > _LONGEST:
        return None
    shown = _shown(line, is_harmless=is_harmless)
    if not shown.strip():
        return None
    begin = min(span.start - start, len(shown) - 1)
    end = min(max(span.end - start, begin + 1), len(shown))
    return Snippet(UNSAFE.sub(_REPLACEMENT, shown), begin, end)


def _shown(line: str, *, is_harmless: bool) -> str:
    """Return the part of a line that certainly holds no secret; the rest becomes a mask."""
    code = _HARMLESS.sub("", line)
    if _SUSPICIOUS.search(code) or any(_resembles_secret(key) for key in _INNER_KEY.findall(code)):
        return _key_only(line)
    keyed = _KEYED.match(line)
    if is_harmless or (keyed and keyed[3] in _SHOWN_KEYS and _inner_keys(line[keyed.end() :]) <= _SHOWN_KEYS):
        return line
    return _key_only(line)


def _key_only(line: str) -> str:
    keyed = _KEYED.match(line)
    if keyed is None:
        return ""
    return line[: keyed.end()] + (f" {MASK}" if line[keyed.end() :].strip() else "")


def _inner_keys(rest: str) -> frozenset[str]:
    return frozenset(_INNER_KEY.findall(rest))


def _resembles_secret(key: str) -> bool:
    return SequenceMatcher(None, key.lower(), "client_secret").ratio() > _AS_CLOSE_AS_A_SLIP
