"""A report without a format, which every format except text and JSON renders.

Strings are not escaped here: each format escapes them for its destination.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.core.errors import Diagnostic, SourceLocation
    from reconciler.core.plan import Scope

Level = Literal["error", "warning", "notice"]
Mark = Literal["+", "-", ""]


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
    """One cell of the table: foreign text, which is shown as code, or words of ours."""

    text: str
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
class MissingSecrets:
    """Several missing secrets with the same problem, which formats for people show as one table."""

    code: str
    problem: str
    rows: tuple[tuple[Cell, ...], ...]

    hint: ClassVar = (
        "give them values, or correct the references; only the organizations that need them are refused. "
        "`reconciler secrets check` lists every place"
    )

    @property
    def title(self) -> str:
        """The sentence above the table."""
        return f"{len(self.rows)} secrets cannot be resolved: {self.problem}"

    @property
    def table(self) -> Table:
        """Each reference, what needs it, and the first place that has it."""
        columns = Column(name="secret"), Column(name="needed by"), Column(name="at")
        return Table(columns=columns, rows=self.rows, noun="secret")


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
class Origin:
    """What a report is about: a project, at a commit and time."""

    scope: Scope
    commit: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report.

    ``headlines`` are what a reader has to see first, each on one line; annotations and results of code
    scanning begin with ``decisive`` and ``decisive_results`` instead. ``limitations`` say what the
    report leaves out, ``remarks`` whatever else a reader should know. ``diagnostics`` have errors first,
    but for lowered guards. ``counts`` are numbers with the noun that they count.
    """

    title: str
    verdict: str
    status: Status
    is_complete: bool = True
    headlines: tuple[str, ...] = ()
    decisive: tuple[Annotation, ...] = ()
    decisive_results: tuple[ScanResult, ...] = ()
    limitations: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    table: Table | None = None
    news: News | None = None
    columns: tuple[str, str] = ("Before", "After")
    categories: tuple[Category, ...] = ()
    groups: tuple[Group, ...] = ()
    lists: tuple[ItemList, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    results: tuple[ScanResult, ...] = ()
    origin: Origin | None = None
    counts: tuple[tuple[int, str], ...] = ()

    @property
    def cards(self) -> tuple[Card, ...]:
        """All cards, in the order of the groups."""
        return tuple(card for group in self.groups for card in group.cards)


def with_missing_secrets_grouped(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic | MissingSecrets]:
    """Yield the findings, but missing secrets with the same problem as one table, at the first of them."""
    groups: dict[object, list[Diagnostic]] = {}
    for index, diagnostic in enumerate(diagnostics):
        missing = diagnostic.missing_secret
        groups.setdefault(missing.problem if missing else index, []).append(diagnostic)
    for group in groups.values():
        missing = group[0].missing_secret
        if missing is None or len(group) == 1:
            yield group[0]
        else:
            rows = tuple(row for diagnostic in group for row in _missing_secret_row(diagnostic))
            yield MissingSecrets(code=group[0].code, problem=missing.problem, rows=rows)


def _missing_secret_row(diagnostic: Diagnostic) -> Iterator[tuple[Cell, ...]]:
    missing = diagnostic.missing_secret
    if missing:
        more = len(missing.needed_by) - 1
        needed_by = f"{diagnostic.address} and {more} more" if more > 0 else diagnostic.address
        yield Cell(missing.reference), Cell(needed_by), Cell(str(diagnostic.location or ""))


def errors_first(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics, errors first."""
    return tuple(sorted(diagnostics, key=lambda diagnostic: not diagnostic.is_error))


def full_message(diagnostic: Diagnostic) -> str:
    """Return what is wrong, why, and what to do, each on its own line."""
    hint = f"hint: {diagnostic.hint}" if diagnostic.hint else ""
    return "\n".join(text for text in (diagnostic.summary, diagnostic.detail, hint) if text)
