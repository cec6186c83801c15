"""A check of the references to secrets: as text, and as a `Report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.errors import count
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.findings import group_findings
from reconciler.reports.report import Cell, Column, Report, Status, Table
from reconciler.reports.text_style import PLAIN, render_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.reports.text_style import Style
    from reconciler.secrets.check import SecretsCheck

_COLUMNS = (Column(name="secret"), Column(name="needed by"), Column(name="at"), Column(name="problem"))


def render_secrets(checked: SecretsCheck, *, style: Style = PLAIN) -> str:
    """Return each secret that is missing, the connections that need it, and the verdict."""
    lines = [escape_terminal(line) for line in _lines(checked)]
    verdict = style.verdict(_verdict(checked), is_good=checked.is_complete)
    return render_diagnostics(checked.diagnostics, style=style) + "\n".join([*lines, verdict]) + "\n"


def secrets_report(checked: SecretsCheck) -> Report:
    """Return the report, with one row for each connection that lacks its secret."""
    rows = tuple(
        (Cell(str(missing.reference)), Cell(address), Cell(str(location or "")), Cell(missing.reason))
        for missing in checked.missing
        for address, location in missing.needed_by
    )
    return Report(
        title="Secrets",
        verdict=_verdict(checked),
        status=Status.GOOD if checked.is_complete else Status.BAD,
        diagnostics=checked.diagnostics,
        findings=group_findings(checked.diagnostics),
        table=Table(columns=_COLUMNS, rows=rows, noun="connection") if rows else None,
    )


def _lines(checked: SecretsCheck) -> Iterator[str]:
    for missing in checked.missing:
        yield f"{missing.reference}: {missing.reason}"
        yield from (f"  {address} ({location})" for address, location in missing.needed_by)


def _verdict(checked: SecretsCheck) -> str:
    total = count(checked.references, "secret reference")
    missing = len(checked.missing)
    return f"{missing} of {total} cannot be resolved." if missing else f"{total} resolved."
