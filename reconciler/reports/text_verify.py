"""Renders a verification as text: requests and responses by connection, findings, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import Severity
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.text_style import PLAIN, finding_boxes, section_lines, target_heading
from reconciler.reports.verify_report import (
    expiry_sections,
    finding_groups,
    limitations,
    since_previous,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.verification import Verification, VerifiedConnection
    from reconciler.reports.text_style import Style


def render_verification(result: Verification, *, style: Style = PLAIN) -> str:
    """Return the whole report: requests by connection, the most severe findings last, verdict."""
    return "\n".join(_sections(result, style)) + "\n"


def _sections(result: Verification, style: Style) -> Iterator[str]:
    yield from target_heading(result.scope, style)
    for connection in result.connections:
        yield "\n".join(_connection(connection, result, style)) + "\n"
    groups = sorted(finding_groups(result), key=lambda group: (group.is_error, group.word == "warning"))
    yield from finding_boxes(groups, style)
    for section in expiry_sections(result):
        yield from section_lines(section, style)
    words = verdict(result)
    has_found = result.has_errors or result.count(Severity.WARNING)
    yield style.bold(words) if has_found else style.verdict(words, is_good=True)
    yield from map(escape_terminal, (*since_previous(result), *limitations(result)))
    for finding in result.resolved:
        yield escape_terminal(f"  resolved: {finding.summary} [{finding.code}]")


def _connection(connection: VerifiedConnection, result: Verification, style: Style) -> Iterator[str]:
    address = style.bold(f"  # {escape_terminal(connection.address)}")
    yield f"{address} {_condition(connection, result, style)}"
    if connection.location:
        yield f"  # {escape_terminal(str(connection.location))}"
    for exchange in connection.exchanges:
        yield f"      {exchange.purpose:<9}  {escape_terminal(exchange.url)}"
        for redirect in exchange.redirects:
            yield f"                 redirected to {escape_terminal(redirect)}"
        yield f"                 {escape_terminal(exchange.outcome)}"


def _condition(connection: VerifiedConnection, result: Verification, style: Style) -> str:
    if connection.not_asked:
        return f"was {style.dim('not checked')}: {escape_terminal(connection.not_asked)}"
    where = "" if connection.is_live else " (not live yet; declared values checked)"
    match result.worst(connection.address):
        case Severity.ERROR:
            return f"{style.red('would fail or be unsafe')}{where}"
        case Severity.WARNING:
            return f"{style.yellow('may fail')}{where}"
        case _:
            return f"is {style.green('OK')}{where}"
