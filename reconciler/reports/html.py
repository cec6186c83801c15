"""Renders a report as one self-contained HTML file: no network requests, and only its own script."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.reports.escaping import escape_terminal, segments
from reconciler.reports.report import Status
from reconciler.reports.wording import target_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.reports.report import Origin, Report

_MAX_CARDS_WITH_UNCHANGED: Final = 500
"""A report of more cards leaves out the attributes that stay the same; the page would be too heavy."""

_TONES: Final = {
    Status.GOOD: "good",
    Status.WARNED: "attention",
    Status.PLAIN: "plain",
    Status.ATTENTION: "attention",
    Status.BAD: "bad",
}


def render_html(report: Report) -> str:
    """Return the file. Its content security policy allows its own style and script by their digests."""
    environment = _environment()
    style, script = _source(environment, "report.css"), _source(environment, "report.js")
    return (
        environment.get_template("report.html.j2").render(
            report=report,
            tone=_TONES[report.status],
            target=target_parts(report.origin.scope) if report.origin else None,
            facts=tuple(_facts(report)),
            has_unchanged=_shows_unchanged(report),
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            style_digest=_digest(style),
            script_digest=_digest(script),
        )
        + "\n"
    )


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    if report.origin:
        yield from _origin_facts(report.origin)
    for number, noun in report.counts:
        yield f"{noun.capitalize()}s", f"{number:,}"


def _origin_facts(origin: Origin) -> Iterator[tuple[str, str]]:
    facts = (
        ("Environment", origin.scope.environment.value),
        ("Project", origin.scope.principal),
        ("API", origin.scope.base_url),
        ("Commit", origin.commit),
        ("Created", origin.created_at),
    )
    return ((name, value) for name, value in facts if value)


def _shows_unchanged(report: Report) -> bool:
    cards = report.cards
    return len(cards) <= _MAX_CARDS_WITH_UNCHANGED and any(card.unchanged for card in cards)


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
