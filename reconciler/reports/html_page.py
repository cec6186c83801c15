"""What an HTML report shows, as plain values: the template only lays them out.

Every text in here has been made visible already; the template escapes it for HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.reports.prose import segments
from reconciler.reports.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.errors import Diagnostic
    from reconciler.core.plan import Scope, Unmanaged
    from reconciler.reports.prose import Segment


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a value; ``mark`` is ``+``, ``-``, ``~`` or empty; a note is no value but about one."""

    text: str
    mark: str = ""
    is_note: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute, side by side; ``changes``: the two sides differ."""

    name: str
    left: tuple[Line, ...]
    right: tuple[Line, ...]
    changes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is said of one connection; ``action`` is what it can be filtered by.

    ``unchanged`` counts attributes that stay as they are, whether they are among the rows or not.
    """

    address: str
    action: str
    intention: str
    reason: tuple[Segment, ...] = ()
    place: str = ""
    rows: tuple[Row, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The cards of one organization."""

    organization: str
    counts: tuple[str, ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One finding."""

    severity: str
    code: str
    summary: tuple[Segment, ...]
    more: tuple[tuple[Segment, ...], ...] = ()
    place: str = ""
    snippet: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlPage:
    """A whole report.

    ``tone`` is good, bad, attention or plain; ``actions`` are key and label of each filter.
    """

    title: str
    verdict: str
    tone: str
    remarks: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    columns: tuple[str, str] = ("Before", "After")
    actions: tuple[tuple[str, str], ...] = ()
    groups: tuple[Group, ...] = ()
    lists: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def cards(self) -> int:
        """The number of connections that something is said of."""
        return sum(len(group.cards) for group in self.groups)

    @property
    def has_unchanged(self) -> bool:
        """Whether any attribute is there that stays as it is, and can be shown."""
        rows = (row for group in self.groups for card in group.cards for row in card.rows)
        return any(not row.changes for row in rows)


def notes_of(findings: Iterable[Diagnostic]) -> tuple[Note, ...]:
    """Return the findings in the order given."""
    return tuple(_note(found) for found in findings)


def facts_of(scope: Scope, commit: str, created_at: str) -> tuple[tuple[str, str], ...]:
    """Return for which project, from which commit, and when."""
    facts = (
        ("Environment", scope.environment.value),
        ("Project", scope.principal),
        ("API", scope.base_url),
        ("Commit", commit),
        ("Created", created_at),
    )
    return tuple((name, visible(value)) for name, value in facts if value)


def unmanaged_of(unmanaged: Iterable[Unmanaged]) -> tuple[tuple[str, ...], ...]:
    """Return organization, display_name and connection_id of what nobody declares."""
    return tuple(
        (
            visible(one.organization),
            visible(one.connection.display_name or ""),
            visible(one.connection.connection_id or ""),
        )
        for one in unmanaged
    )


def _note(found: Diagnostic) -> Note:
    snippet = found.snippet
    return Note(
        severity=found.severity.value,
        code=visible(found.code),
        summary=segments(found.summary),
        more=tuple(segments(text) for text in (found.detail, found.hint) if text),
        place=visible(str(found.location)) if found.location else "",
        snippet=(
            visible(snippet.text[: snippet.start]),
            visible(snippet.text[snippet.start : snippet.end]),
            visible(snippet.text[snippet.end :]),
        )
        if snippet
        else None,
    )
