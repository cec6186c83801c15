"""Which line of a file may be shown beside a finding, since a line may hold a secret."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import Snippet
from reconciler.manifests.text_patterns import UNSAFE

if TYPE_CHECKING:
    from reconciler.manifests.source_file import Source, Span

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
_TARGET: Final = re.compile(r"""^([^\S\n]*+)(?:.*[ \t{,?"'])??target["']?[^\S\n]*:(?=\s|$)""", re.MULTILINE)
_NEXT: Final = re.compile(
    r"""^([^\S\n]*+)(?:version|organizations|vars|defaults|limits|policies|secrets|---)(?=[\s"':]|$)""",
    re.MULTILINE,
)
_BRACKETS: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_ADDRESS: Final = re.compile(r"://|[Uu][Rr][Ll]|issuer")
_USER_INFO: Final = re.compile(r"@|%40|\\(?:x40|u0040|U00000040)")
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
    if _has_user_info(line) or _is_below_target(source.text, start):
        shown = _key_only(line)
    else:
        shown = _shown(line, is_harmless=is_harmless)
    if not shown.strip():
        return None
    begin = min(span.start - start, len(shown) - 1)
    end = min(max(span.end - start, begin + 1), len(shown))
    return Snippet(text=UNSAFE.sub(_REPLACEMENT, shown), start=begin, end=end)


def _shown(line: str, *, is_harmless: bool) -> str:
    """Return the part of a line that certainly holds no secret; the rest becomes a mask."""
    code = _HARMLESS.sub("", line)
    if _SUSPICIOUS.search(code) or any(_resembles_secret(key) for key in _INNER_KEY.findall(code)):
        return _key_only(line)
    keyed = _KEYED.match(line)
    if is_harmless or (keyed and keyed[3] in _SHOWN_KEYS and _inner_keys(line[keyed.end() :]) <= _SHOWN_KEYS):
        return line
    return _key_only(line)


def _has_user_info(line: str) -> bool:
    """Tell whether a line may have an address with a password in it."""
    return bool(_ADDRESS.search(line) and _USER_INFO.search(line))


def _is_below_target(text: str, line: int) -> bool:
    """Tell whether the line that begins at an offset may be part of ``target``, however that is written.

    Nothing there is shown: a credential in the wrong place looks like any other value.
    """
    return any(start <= line < end for start, end in _target_stretches(text))


@lru_cache(maxsize=4)
def _target_stretches(text: str) -> tuple[tuple[int, int], ...]:
    """Return where every ``target`` begins, and where what follows it does, as offsets of lines."""
    found: list[tuple[int, int]] = []
    for target in _TARGET.finditer(text):
        if not found or target.start() >= found[-1][1]:
            found.append((target.start(), _end_of(target, text)))
    return tuple(found)


def _end_of(target: re.Match[str], text: str) -> int:
    """Return where another key of the project file follows the target, outside of its brackets."""
    depth, seen = 0, target.end()
    for key in _NEXT.finditer(text, target.end()):
        depth += sum(_BRACKETS.get(one, 0) for one in text[seen : key.start()])
        seen = key.start()
        if depth <= 0 and len(key[1]) <= len(target[1]):
            return key.start()
    return len(text) + 1


def _key_only(line: str) -> str:
    keyed = _KEYED.match(line)
    if keyed is None:
        return ""
    return line[: keyed.end()] + (f" {MASK}" if line[keyed.end() :].strip() else "")


def _inner_keys(rest: str) -> frozenset[str]:
    return frozenset(_INNER_KEY.findall(rest))


def _resembles_secret(key: str) -> bool:
    return SequenceMatcher(None, key.lower(), "client_secret").ratio() > _AS_CLOSE_AS_A_SLIP
