"""Gathers what is wrong with one file, each finding with its place and the line it is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.manifests.snippets import make_snippet
from reconciler.manifests.source_file import Source, Span
from reconciler.manifests.text_patterns import CONNECTION_NAME

if TYPE_CHECKING:
    from reconciler.manifests.yaml_reader import Node, Path

MAX_FINDINGS: Final = 500
"""Per file."""

_KEYS_WITHOUT_SECRETS: Final = frozenset(
    {"custom_scopes", "attribute_mapping", "previous_display_names", "ignore_changes"}
)


class Findings:
    """The diagnostics of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._diagnostics: list[Diagnostic] = []

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings, in the order of the text."""
        return tuple(sorted(self._diagnostics, key=_place))

    @property
    def has_errors(self) -> bool:
        """Whether a finding blocks."""
        return any(diagnostic.is_error for diagnostic in self._diagnostics)

    def document(self, root: Node | None) -> DocumentFindings:
        """Return what gathers the findings of one document; without a root, they have no place."""
        return DocumentFindings(self, root)

    def add(
        self,
        code: str,
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
        if len(self._diagnostics) >= MAX_FINDINGS:
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
            ),
        )

    def _add_last(self) -> None:
        """Say once that there are more: a hostile file could cause any number of findings."""
        if len(self._diagnostics) > MAX_FINDINGS:
            return
        self._diagnostics.append(
            Diagnostic(
                Severity.ERROR,
                "too-many-findings",
                f"{self.source.path} has more than {MAX_FINDINGS} findings; the others are not shown",
                hint="fix these first",
                location=self.source.location(len(self.source.text)),
            ),
        )


class DocumentFindings:
    """The findings of one document, by the path of the value they are about."""

    def __init__(self, findings: Findings, root: Node | None) -> None:
        self.organization = ""
        self.error_count = 0
        self._findings = findings
        self._root = root

    def add(
        self,
        code: str,
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
