"""Renders a report as one self-contained HTML file: no network requests, and only its own script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.core.errors import count
from reconciler.reports.escaping import escape_terminal, segments, short_time
from reconciler.reports.findings import make_group
from reconciler.reports.report import NOTHING, Counter, Status
from reconciler.reports.wording import SIGN_IN_TITLE, UNKNOWN, target_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.reports.report import Card, Entry, FindingGroup, Group, Report, Row, SourceLinks

_MAX_CARDS_WITH_TABLES: Final = 500
"""A report of more shows each change as text, in a tenth of the elements; tables would be too heavy."""

_MAX_OPEN_CARDS: Final = 4
"""A report of more cards shows them folded: a line for each change, and its findings."""

_MAX_ORGANIZATIONS_IN_LIST: Final = 60
"""A report of more organizations has no link for each; the filter finds them."""

_COMMIT_LENGTH: Final = 12

_TONES: Final = {
    Status.GOOD: "good",
    Status.WARNED: "attention",
    Status.PLAIN: "plain",
    Status.ATTENTION: "attention",
    Status.BAD: "bad",
}

_MARKS: Final = {"create": "+", "update": "~", "delete": "\N{MINUS SIGN}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _CardView:
    """A card as the page shows it: the sides that have values, and the findings about it.

    ``unknown`` are the attributes that only the service knows, which need no row each. In a large report,
    ``diff`` stands for the rows.
    """

    card: Card
    anchor: str
    is_open: bool
    findings: tuple[tuple[FindingGroup, Entry], ...]
    sides: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    unknown: tuple[str, ...]
    diff: tuple[str, ...]

    @property
    def mark(self) -> str:
        """The sign of its action, as in the text format."""
        return _MARKS.get(self.card.action, "")


def render_html(report: Report, *, links: SourceLinks | None = None) -> str:
    """Return the file. Its content security policy allows its own style and script by their digests."""
    environment = _environment()
    style, script = _source(environment, "report.css"), _source(environment, "report.js")
    addresses = {card.address for card in report.cards}
    elsewhere, by_address = _place_findings(report.findings, addresses)
    groups = tuple(_card_views(report, by_address))
    page = {
        "report": report,
        "environment": report.origin.scope.environment.value if report.origin else "",
        "tone": _TONES[report.status],
        "facts": tuple(_facts(report)),
        "counters": tuple(_counters(report)),
        "findings": elsewhere,
        "groups": groups,
        "anchors": {view.card.address: view.anchor for _, cards in groups for view in reversed(cards)},
        "jumps": tuple(_jumps(report, elsewhere)),
        "has_unchanged": any(row.is_unchanged for _, cards in groups for view in cards for row in view.rows),
        "links": links,
        "max_tables": _MAX_CARDS_WITH_TABLES,
        "sign_in_title": SIGN_IN_TITLE,
        "style": Markup(style),  # noqa: S704 - a file of this package
        "script": Markup(script),  # noqa: S704 - a file of this package
        "style_digest": _digest(style),
        "script_digest": _digest(script),
    }
    return environment.get_template("report.html.j2").render(page) + "\n"


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    """Yield names and values of what the page is about, besides the project and its environment."""
    if origin := report.origin:
        kind, _, _, host = target_parts(origin.scope)
        yield f"{report.title} of the {kind.removesuffix(' with')} at", host
        yield "commit", origin.commit[:_COMMIT_LENGTH]
        yield "made at", short_time(origin.created_at)


def _counters(report: Report) -> Iterator[Counter]:
    yield from report.counters
    for number, noun in report.counts:
        yield Counter(number=number, words=count(number, noun).partition(" ")[2])


def _place_findings(
    groups: Iterable[FindingGroup], addresses: set[str]
) -> tuple[tuple[FindingGroup, ...], Mapping[str, tuple[tuple[FindingGroup, Entry], ...]]]:
    """Divide the findings: those about a change, by its address, and the groups of all others."""
    elsewhere: list[FindingGroup] = []
    by_address: dict[str, list[tuple[FindingGroup, Entry]]] = defaultdict(list)
    for group in groups:
        rest = [entry for entry in group.entries if group.table or entry.address not in addresses]
        for entry in group.entries:
            if entry not in rest:
                by_address[entry.address].append((group, entry))
        if len(rest) == len(group.entries):
            elsewhere.append(group)
        elif rest:
            elsewhere.append(make_group(group.word, rest))
    return tuple(elsewhere), {address: tuple(entries) for address, entries in by_address.items()}


def _card_views(
    report: Report, findings: Mapping[str, tuple[tuple[FindingGroup, Entry], ...]]
) -> Iterator[tuple[Group, tuple[_CardView, ...]]]:
    number = 0
    total = len(report.cards)
    placed: set[str] = set()
    for group in report.groups:
        views = []
        for card in group.cards:
            number += 1
            about = () if card.address in placed else findings.get(card.address, ())
            placed.add(card.address)
            views.append(_card_view(report, card, anchor=f"c{number}", findings=about, total=total))
        yield group, tuple(views)


def _card_view(
    report: Report, card: Card, *, anchor: str, findings: tuple[tuple[FindingGroup, Entry], ...], total: int
) -> _CardView:
    diff = card.diff if total > _MAX_CARDS_WITH_TABLES else ()
    rows = () if diff else card.rows
    unknown = [row for row in rows if row.left == NOTHING and [line.text for line in row.right] == [UNKNOWN]]
    rows = tuple(row for row in rows if row not in unknown)
    sides = zip(report.columns, ("left", "right"), strict=True)
    return _CardView(
        card=card,
        anchor=anchor,
        is_open=total <= _MAX_OPEN_CARDS and not card.is_destructive,
        findings=findings,
        sides=tuple(
            (name, side) for name, side in sides if any(getattr(row, side) != NOTHING for row in rows)
        ),
        rows=rows,
        unknown=tuple(row.attribute for row in unknown),
        diff=diff,
    )


def _jumps(report: Report, findings: tuple[FindingGroup, ...]) -> Iterator[tuple[str, str]]:
    """Yield the anchor and the name of each section, and of each organization if there are not too many."""
    sections = (
        ("decisive", SIGN_IN_TITLE, len(report.differences)),
        ("guards", "Lowered guards", len(report.guards)),
        ("approvals", "Approvals", len(report.approvals)),
        ("findings", "Findings", sum(len(group.entries) for group in findings)),
        ("outputs", "Outputs", len(report.outputs.rows) if report.outputs else 0),
        ("connections", "Connections", len(report.cards)),
    )
    yield from ((anchor, f"{name} ({number:,})") for anchor, name, number in sections if number)
    for number, section in enumerate(report.sections, 1):
        yield f"s{number}", f"{section.title} ({len(section.table.rows):,})"
    if 1 < len(report.groups) <= _MAX_ORGANIZATIONS_IN_LIST:
        yield from ((f"o{number}", group.organization) for number, group in enumerate(report.groups, 1))
    for number, item_list in enumerate(report.lists, 1):
        yield f"l{number}", f"{item_list.title.partition(':')[0]} ({len(item_list.items):,})"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reconciler.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_make_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["segments"] = segments
    return environment


def _make_visible(value: object) -> str:
    """Escape control characters of whatever the template writes; jinja2 then escapes it for HTML."""
    return value if isinstance(value, Markup) else escape_terminal(str(value))


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _digest(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
