"""Collects the diagnostics of one file, each with its location and source line.

The line is masked where it may hold a secret.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.errors import Diagnostic, Severity, Snippet, SourceLocation
from reconciler.manifests.source_file import Source, Span
from reconciler.manifests.text_patterns import CONNECTION_NAME, UNSAFE

if TYPE_CHECKING:
    from reconciler.core.codes import Code
    from reconciler.manifests.yaml_reader import Node, Path

MASK: Final = "…"

_SHOWN_KEYS: Final = frozenset((
    "organization", "organization_id", "prune", "connections", "display_name", "identity_provider",
    "issuer", "client_id", "authorization_url", "token_url", "userinfo_url", "jwks_url", "custom_scopes",
    "connection_id", "previous_display_names", "state", "discovery", "secret_expires_on", "lifecycle",
    "prevent_destroy", "ignore_changes", "version", "organizations", "vars", "defaults", "limits",
    "max_deletes", "max_delete_percent", "requests_per_second", "concurrency", "policies", "secrets", "env",
    "file", "allow", "approvals", "rule", "address", "finding", "deletes", "reason", "until",
    "test", "live",
))  # fmt: skip
_SUSPICIOUS: Final = re.compile(r"secret|passw|token|credential|private", re.IGNORECASE)
_HARMLESS: Final = re.compile(r"secret_expires_on|token_url|^\s*secrets(?=:)")
_KEYED: Final = re.compile(r"(\s*(?:- +)*)([\"']?)([^\s\"':{}\[\],&*!#]+)\2\s*:(?=\s|$)")
_INNER_KEY: Final = re.compile(r"([^\s\"':{}\[\],]+)[\"']?\s*:(?=\s|$)")
_TARGET: Final = re.compile(r"""^([^\S\n]*+)(?:.*[ \t{,?"'])??target["']?[^\S\n]*:(?=\s|$)""", re.MULTILINE)
_NEXT: Final = re.compile(
    r"""^([^\S\n]*+)(?:version|organizations|vars|defaults|limits|policies|secrets|approvals|---)(?=[\s"':]|$)""",
    re.MULTILINE,
)
_BRACKETS: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_ADDRESS: Final = re.compile(r"://|[Uu][Rr][Ll]|issuer")
_USER_INFO: Final = re.compile(r"@|%40|\\(?:x40|u0040|U00000040)")
_TYPO_SIMILARITY: Final = 0.7
_LONGEST: Final = 200
_REPLACEMENT: Final = "\ufffd"

_KEYS_WITHOUT_SECRETS: Final = frozenset(
    {"custom_scopes", "attribute_mapping", "previous_display_names", "ignore_changes"}
)


class Findings:
    """The diagnostics of one file, at most ``limit`` and a last one which says that there are more."""

    def __init__(self, source: Source, limit: int = 500) -> None:
        self.source = source
        self._limit = limit
        self._diagnostics: list[Diagnostic] = []

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings, in the order of the text."""
        return tuple(sorted(self._diagnostics, key=_place))

    @property
    def has_errors(self) -> bool:
        """Whether a finding blocks."""
        return any(diagnostic.is_error for diagnostic in self._diagnostics)

    @property
    def is_full(self) -> bool:
        """Whether there are more findings than are kept."""
        return len(self._diagnostics) > self._limit

    def document(self, root: Node | None) -> DocumentFindings:
        """Return what gathers the findings of one document; without a root, they have no place."""
        return DocumentFindings(self, root)

    def add(
        self,
        code: Code,
        span: Span,
        summary: str,
        *,
        hint: str = "",
        detail: str = "",
        address: str = "",
        severity: Severity = Severity.ERROR,
        is_harmless: bool = False,
    ) -> None:
        """Add a finding about a stretch of the text. ``is_harmless``: its line holds no secret."""
        if len(self._diagnostics) >= self._limit:
            self._add_last()
            return
        self._diagnostics.append(
            Diagnostic(
                severity=severity,
                code=code,
                summary=summary,
                detail=detail,
                hint=hint,
                address=address,
                location=self.source.location(span.start),
                snippet=make_snippet(self.source, span, is_harmless=is_harmless),
            )
        )

    def _add_last(self) -> None:
        """Say once that there are more: a hostile file could cause any number of findings."""
        if self.is_full:
            return
        self._diagnostics.append(
            Diagnostic(
                Severity.ERROR,
                "too-many-findings",
                f"{self.source.path} has more than {self._limit} findings; the others are not shown",
                hint="fix these first",
                location=self.source.location(len(self.source.text)),
            )
        )


class DocumentFindings:
    """The findings of one document, by the path of the value they are about."""

    def __init__(self, findings: Findings, root: Node | None) -> None:
        self.organization = ""
        self.error_count = 0
        self._findings = findings
        self._root = root

    @property
    def is_full(self) -> bool:
        """Whether further findings of the file would not be kept."""
        return self._findings.is_full

    def add(
        self,
        code: Code,
        path: Path,
        summary: str,
        *,
        hint: str = "",
        detail: str = "",
        at: Literal["key", "value"] = "value",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a finding about the value at ``path``, or about its key."""
        self.error_count += severity is Severity.ERROR
        self._findings.add(
            code,
            self._span(path, at),
            summary,
            hint=hint,
            detail=detail,
            address=self._address(path),
            severity=severity,
            is_harmless=not _KEYS_WITHOUT_SECRETS.isdisjoint(path),
        )

    def text(self, path: Path) -> str:
        """Return the scalar at ``path`` before YAML gives it a type; empty for anything else."""
        return self._root.find(path).text if self._root and self._root.has(path) else ""

    def location(self, path: Path) -> SourceLocation:
        """Return where the key of ``path`` is."""
        return self._findings.source.location(self._span(path, "key").start)

    def _span(self, path: Path, at: Literal["key", "value"]) -> Span:
        if self._root is None:
            return Span(0, 0)
        node = self._root.find(path)
        is_blank = node.span.start == node.span.end
        return node.key_span if node.key_span and (at == "key" or is_blank) else node.span

    def _address(self, path: Path) -> str:
        is_below = len(path) > 1 and path[0] == "connections" and bool(self.organization)
        if is_below and re.fullmatch(CONNECTION_NAME, str(path[1])):
            return f"{self.organization}/{path[1]}"
        return self.organization


def name_of(path: Path) -> str:
    """Return the name of a field for a message: the keys below its connection, or its whole path."""
    match path:
        case ("connections", _, _, *_):
            below = path[2:]
        case _:
            below = path
    return ".".join(str(step)[:80] for step in below if isinstance(step, str))


def _place(diagnostic: Diagnostic) -> tuple[int, int, str]:
    assert diagnostic.location is not None
    return diagnostic.location.line, diagnostic.location.column, diagnostic.code


def make_snippet(source: Source, span: Span, *, is_harmless: bool = False) -> Snippet | None:
    """Return the line of a finding, masked where it may hold a secret; None if nothing can be shown.

    ``is_harmless``: the values on this line are known to be no secrets.
    """
    line, start = source.line(span.start)
    if len(line) > _LONGEST:
        return None
    if _has_user_info(line) or _is_below_target(source.text, start):
        visible = _key_only(line)
    else:
        visible = _visible_part(line, is_harmless=is_harmless)
    if not visible.strip():
        return None
    begin = min(span.start - start, len(visible) - 1)
    end = min(max(span.end - start, begin + 1), len(visible))
    return Snippet(text=UNSAFE.sub(_REPLACEMENT, visible), start=begin, end=end)


def _visible_part(line: str, *, is_harmless: bool) -> str:
    """Return the part of a line that certainly is no secret; the rest is masked."""
    code = _HARMLESS.sub("", line)
    if _SUSPICIOUS.search(code) or any(_resembles_secret(key) for key in _INNER_KEY.findall(code)):
        return _key_only(line)
    keyed = _KEYED.match(line)
    if is_harmless or (keyed and keyed[3] in _SHOWN_KEYS and _inner_keys(line[keyed.end() :]) <= _SHOWN_KEYS):
        return line
    return _key_only(line)


def _has_user_info(line: str) -> bool:
    """Whether a line may contain a URL with a password."""
    return bool(_ADDRESS.search(line) and _USER_INFO.search(line))


def _is_below_target(text: str, line: int) -> bool:
    """Whether the line that begins at an offset may be part of ``target``, however it is written.

    No value there is shown: a misplaced credential looks like any other value.
    """
    return any(start <= line < end for start, end in _target_ranges(text))


@lru_cache(maxsize=4)
def _target_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Return where every ``target`` begins, and where the key after it does, as offsets of lines."""
    ranges: list[tuple[int, int]] = []
    for target in _TARGET.finditer(text):
        if not ranges or target.start() >= ranges[-1][1]:
            ranges.append((target.start(), _end_of(target, text)))
    return tuple(ranges)


def _end_of(target: re.Match[str], text: str) -> int:
    """Return where the next key of the project file begins, outside of the target's brackets."""
    depth, seen = 0, target.end()
    for key in _NEXT.finditer(text, target.end()):
        depth += sum(_BRACKETS.get(character, 0) for character in text[seen : key.start()])
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
    return SequenceMatcher(None, key.lower(), "client_secret").ratio() > _TYPO_SIMILARITY
