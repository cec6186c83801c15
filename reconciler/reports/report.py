"""A report without a format, which every format except text and JSON renders.

Strings are not escaped here: each format escapes them for its destination.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from reconciler.core.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.core.errors import Diagnostic, Snippet, SourceLocation
    from reconciler.core.plan import Scope

Level = Literal["error", "warning", "notice"]
Mark = Literal["+", "-", ""]

ANNOTATION_LEVELS: Final[Mapping[Severity, Level]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
}

Word = Literal["risk", "refused", "error", "failed", "warning", "note"]
"""A risk blocks until it is accepted; refused is what cannot be planned, failed what could not be applied.

Files outside a plan have errors. The words are the same in text, Markdown and HTML.
"""


class Status(Enum):
    """How it went, by which formats choose a color or an icon."""

    GOOD = "good"
    WARNED = "warned"
    PLAIN = "plain"
    ATTENTION = "attention"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a value; ``mark`` is ``+``, ``-`` or empty; a note is not a value but about one."""

    text: str
    mark: Mark = ""
    is_note: bool = False


NOTHING: Final = (Line("(none)", is_note=True),)
"""A side without a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One attribute, side by side. If it ``is_unchanged``, it is counted, and shown on demand."""

    attribute: str
    left: tuple[Line, ...]
    right: tuple[Line, ...]
    is_unchanged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the report says of one connection.

    ``action`` is the key of a `Category`. The two parts of ``intention`` are a sentence after the
    address; the second matters most. ``note`` is a fact about the connection. ``attributes`` names those
    that change, ``diff`` is the change in lines that begin with ``+``, ``-`` or ``~``, as in the text
    format. ``make_rows`` returns the rows: formats that show none do not make them, which takes seconds
    for ten thousand changes.
    """

    address: str
    action: str
    intention: tuple[str, str]
    is_destructive: bool = False
    reason: str = ""
    note: str = ""
    location: SourceLocation | None = None
    make_rows: Callable[[], tuple[Row, ...]] = tuple
    attributes: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The attributes, one in each row."""
        return self.make_rows()

    @property
    def unchanged(self) -> int:
        """The number of attributes that stay as they are."""
        return sum(row.is_unchanged for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The cards of one organization, and their counts in words."""

    organization: str
    counts: tuple[str, ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """What cards can be filtered and counted by; the most urgent category has the lowest ``rank``."""

    key: str
    label: str
    words: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table: foreign text of up to three lines, shown as code, or words of ours."""

    text: str
    second: str = ""
    third: str = ""
    is_foreign: bool = True
    is_strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the table; one of numbers has the words for their sum, such as "to add"."""

    name: str
    sum_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An overview, most urgent rows first; each row is one ``noun``."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | int, ...], ...]
    noun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A further table under its title, and a note below it."""

    title: str
    table: Table
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One finding: what is wrong, why and what to do, where, and which findings follow from it.

    ``since`` says whether it is new or since when it is known; empty if that is not compared.
    """

    summary: str
    code: str = ""
    why: str = ""
    fix: str = ""
    address: str = ""
    location: SourceLocation | None = None
    snippet: Snippet | None = None
    consequences: tuple[Entry, ...] = ()
    since: str = ""

    @property
    def sentence(self) -> str:
        """What it says, whichever address it says it of."""
        return self.summary.replace(self.address, "…") if self.address else self.summary


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """What one rule finds: ``notes`` are common to all entries, those of an entry are its own.

    ``is_uniform``: all entries say what the title says, each of its own address. With a ``table``, that
    shows the entries.
    """

    word: Word
    code: str
    title: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    is_uniform: bool = False
    table: Table | None = None

    @property
    def is_error(self) -> bool:
        """Whether it blocks."""
        return self.word not in {"warning", "note"}

    @property
    def single(self) -> Entry | None:
        """The finding, if there is only one: the title says it, and the notes are its own."""
        return self.entries[0] if len(self.entries) == 1 else None

    def line(self, entry: Entry) -> str:
        """Return what a line of one entry says: if the title says all, only the address."""
        return entry.address if self.is_uniform else entry.summary

    def own_notes(self, entry: Entry) -> tuple[str, ...]:
        """Return why an entry matters and what to do, without what is common to all."""
        return tuple(note for note in (entry.why, entry.fix) if note and note not in self.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A change or drift of an attribute that decides who can sign in; values are written as HCL.

    ``published`` is the URL in the issuer's own metadata, where a drift report knows it.
    """

    address: str
    attribute: str
    before: str
    after: str
    published: str = ""
    already_live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do next in a sentence of ours, and what to paste: ``items`` of lines below a ``header``."""

    text: str
    header: tuple[str, ...] = ()
    items: tuple[tuple[str, ...], ...] = ()
    noun: str = ""
    language: str = "yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is new since an earlier report of that time."""

    since: str
    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemList:
    """A list that is folded away; every item is one or more external strings, each item one ``noun``."""

    title: str
    items: tuple[tuple[str, ...], ...]
    noun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark on a line of a manifest."""

    level: Level
    title: str
    message: str
    location: SourceLocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """A result of code scanning: ``rule`` is its kind, ``subject`` the address it is about.

    Results with the same ``fingerprint`` are one alert; without one, it follows from the other fields.
    ``length`` is the number of characters that are marked at the location.
    """

    rule: str
    level: Literal["error", "warning", "note"]
    message: str
    subject: str = ""
    location: SourceLocation | None = None
    fingerprint: str = ""
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A number with the words for it; ``key`` is the action or the word of a finding that is counted."""

    number: int
    words: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLinks:
    """Where a forge shows the files of a commit: ``base`` is followed by the path in the repository.

    ``folder`` is the working directory within the repository, to which places are relative.
    """

    base: str
    folder: str = ""

    def url(self, location: SourceLocation) -> str:
        """Return the address of a line, or nothing for a file outside of the repository."""
        path = posixpath.normpath(posixpath.join(self.folder, location.path.replace("\\", "/")))
        if path.startswith(("/", "../")):
            return ""
        return f"{self.base}/{quote(path)}#L{location.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a report is about: a project, at a commit and time; ``name`` is what people call the project."""

    scope: Scope
    commit: str
    created_at: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report.

    ``headlines`` are what a reader has to see first, each on one line; annotations and results of code
    scanning begin with ``decisive`` and ``decisive_results`` instead. ``limitations`` say what the
    report leaves out, ``remarks`` whatever else a reader should know. ``diagnostics`` have errors first,
    but for lowered guards; ``findings`` are the same in groups, without what ``guards`` and ``approvals``
    say. ``steps`` are what to do next, ``outputs`` what somebody else has to be given.
    ``counts`` are numbers with the noun that they count, ``counters`` those that a page begins with.
    """

    title: str
    verdict: str
    status: Status
    is_complete: bool = True
    headlines: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    guards: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    findings: tuple[FindingGroup, ...] = ()
    steps: tuple[Step, ...] = ()
    outputs: Table | None = None
    decisive: tuple[Annotation, ...] = ()
    decisive_results: tuple[ScanResult, ...] = ()
    limitations: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    table: Table | None = None
    sections: tuple[Section, ...] = ()
    news: News | None = None
    columns: tuple[str, str] = ("Before", "After")
    categories: tuple[Category, ...] = ()
    groups: tuple[Group, ...] = ()
    lists: tuple[ItemList, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    results: tuple[ScanResult, ...] = ()
    origin: Origin | None = None
    counts: tuple[tuple[int, str], ...] = ()
    counters: tuple[Counter, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to do and nothing to look at."""
        has_more = self.findings or self.differences or self.guards or self.approvals or self.table
        return self.status is Status.GOOD and not has_more

    @property
    def cards(self) -> tuple[Card, ...]:
        """All cards, in the order of the groups."""
        return tuple(card for group in self.groups for card in group.cards)


def errors_first(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics, errors first."""
    return tuple(sorted(diagnostics, key=lambda diagnostic: not diagnostic.is_error))


def full_message(diagnostic: Diagnostic) -> str:
    """Return what is wrong, why, and what to do, each on its own line."""
    hint = f"hint: {diagnostic.hint}" if diagnostic.hint else ""
    return "\n".join(text for text in (diagnostic.summary, diagnostic.detail, hint) if text)
