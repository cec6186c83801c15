"""Gathers what is wrong with one file; places are worked out when there is a first finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.errors import Diagnostic, Severity, SourceLocation
from reconciler.manifests.source import Span
from reconciler.manifests.text import CONNECTION_NAME

if TYPE_CHECKING:
    from reconciler.manifests.events import Path
    from reconciler.manifests.places import Place, Places
    from reconciler.manifests.source import Source

MAX_FINDINGS: Final = 500
"""Per file."""

_SHOWN_BELOW: Final = frozenset(
    {"custom_scopes", "attribute_mapping", "previous_display_names", "ignore_changes"}
)


class Findings:
    """The diagnostics of one file, in the order of the file."""

    def __init__(self, source: Source, max_depth: int) -> None:
        self.source = source
        self._max_depth = max_depth
        self._places: Places | None = None
        self._found: list[Diagnostic] = []

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All findings, by place."""
        return tuple(sorted(self._found, key=_order))

    @property
    def has_errors(self) -> bool:
        """Whether anything found so far blocks."""
        return any(found.is_error for found in self._found)

    def document(self, index: int) -> DocumentFindings:
        """Return what gathers the findings of the document with this index, from 0."""
        return DocumentFindings(self, index)

    @property
    def places(self) -> Places:
        """Where everything stands in the file."""
        if self._places is None:
            from reconciler.manifests.places import find_places

            self._places = find_places(self.source.text, self._max_depth)
        return self._places

    def place(self, document: int) -> Place:
        """Return where a document stands; the start of the file if it cannot be told."""
        from reconciler.manifests.places import Place

        documents = self.places.documents
        return documents[document] if document < len(documents) else Place(Span(0, 0))

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
        if len(self._found) >= MAX_FINDINGS:
            self._add_last()
            return
        from reconciler.manifests.snippets import make_snippet

        self._found.append(
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
        """Say once that there is more; nobody reads on, and a hostile file could go on for ever."""
        if len(self._found) == MAX_FINDINGS:
            self._found.append(
                Diagnostic(
                    Severity.ERROR,
                    "too-many-findings",
                    f"{self.source.path} has more than {MAX_FINDINGS} findings; the others are not shown",
                    hint="correct these first",
                    location=self.source.location(len(self.source.text)),
                ),
            )


class DocumentFindings:
    """The findings of one document, by the path of what they are about."""

    def __init__(self, findings: Findings, index: int) -> None:
        self.organization = ""
        self._findings = findings
        self._index = index
        self.error_count = 0

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
            is_harmless=not _SHOWN_BELOW.isdisjoint(path),
        )

    def written(self, path: Path) -> str:
        """Return the scalar at ``path`` as it is written, without quotes; empty for anything else."""
        root = self._findings.place(self._index)
        return root.find(path).text if root.has(path) else ""

    def location(self, path: Path) -> SourceLocation:
        """Return where the key of ``path`` stands."""
        return self._findings.source.location(self._span(path, "key").start)

    def _span(self, path: Path, at: Literal["key", "value"]) -> Span:
        place = self._findings.place(self._index).find(path)
        is_blank = place.span.start == place.span.end
        return place.key if place.key and (at == "key" or is_blank) else place.span

    def _address(self, path: Path) -> str:
        is_below = len(path) > 1 and path[0] == "connections" and bool(self.organization)
        if is_below and re.fullmatch(CONNECTION_NAME, str(path[1])):
            return f"{self.organization}/{path[1]}"
        return self.organization


def _order(found: Diagnostic) -> tuple[int, int, str]:
    assert found.location is not None
    return found.location.line, found.location.column, found.code
