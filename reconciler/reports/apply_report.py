"""The result of an apply: as text in Terraform's words, and as a `Report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Action
from reconciler.core.errors import count
from reconciler.core.outcome import Applied, Failed, Skipped, Unneeded
from reconciler.reports.escaping import escape_terminal, quote
from reconciler.reports.findings import group_findings, make_group
from reconciler.reports.next_steps import again_steps, pin_steps
from reconciler.reports.report import (
    Cell,
    Column,
    Counter,
    Entry,
    Origin,
    Report,
    Status,
    Table,
    errors_first,
)
from reconciler.reports.text_style import PLAIN, finding_boxes, target_heading, warning_box

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.outcome import ApplyResult, Outcome
    from reconciler.reports.report import FindingGroup
    from reconciler.reports.text_style import Style

_COLUMNS = (Column(name="Connection"), Column(name="Result"), Column(name="Notes"))
_FOUND_BY_APPLY = "inference-differs"
"""The text shows no other warning again: the plan above it has shown them."""

_URGENCY = (Failed, Skipped, Unneeded, Applied)


def render_result(result: ApplyResult, *, style: Style = PLAIN) -> str:
    """Return the summary of a run; it says complete only if everything planned now holds."""
    return "\n".join(_sections(result, style)) + "\n"


def _sections(result: ApplyResult, style: Style) -> Iterator[str]:
    yield from target_heading(result.scope, style)
    for applied in result.applied:
        yield from _remarks(applied, style)
    new = (item for item in result.diagnostics if item.is_error or item.code == _FOUND_BY_APPLY)
    groups = (*group_findings(new, error_word="refused"), *_failures(result.failed))
    yield from (f"{box}\n" for box in finding_boxes(groups, style))
    yield from (_skipped(skipped) for skipped in result.skipped)
    yield from (_unneeded(unneeded) for unneeded in result.unneeded)
    if result.skipped or result.unneeded:
        yield ""
    yield _verdict(result, style)
    yield from _outputs(result, style)
    yield from _pins(result, style)


def _remarks(applied: Applied, style: Style) -> Iterator[str]:
    for warning in applied.warnings:
        yield warning_box(f"{applied.address}: {warning}", (), style) + "\n"
    if applied.history:
        yield escape_terminal(f"{applied.address}: {'; '.join(applied.history)}") + "\n"


def _skipped(skipped: Skipped) -> str:
    return escape_terminal(
        f"{skipped.address}: Skipped, not {_PARTICIPLES[skipped.action]}: {skipped.reason}"
    )


def _unneeded(unneeded: Unneeded) -> str:
    history = f" ({'; '.join(unneeded.history)})" if unneeded.history else ""
    return escape_terminal(
        f"{unneeded.address}: Nothing left to do: already {_PARTICIPLES[unneeded.action]}{history}"
    )


_PARTICIPLES = {
    Action.NO_OP: "changed",
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DELETE: "destroyed",
}


def _verdict(result: ApplyResult, style: Style) -> str:
    is_good = result.is_complete and not result.interrupted
    return style.verdict(_verdict_words(result), is_good=is_good)


def _verdict_words(result: ApplyResult) -> str:
    """Return the line that other programs look for."""
    counts = f"Resources: {result.added} added, {result.changed} changed, {result.destroyed} destroyed."
    if result.is_complete and not result.interrupted:
        return f"Apply complete! {counts}"
    word = "interrupted" if result.interrupted else "incomplete"
    rest = f"{len(result.failed)} failed, {len(result.skipped)} skipped."
    refused = sum(diagnostic.is_error for diagnostic in result.diagnostics)
    not_planned = f" {count(refused, 'error')} in the plan." if refused else ""
    return f"Apply {word}! {counts} {rest}{not_planned}"


def _outputs(result: ApplyResult, style: Style) -> Iterator[str]:
    """Yield the redirect_url of every created connection: the customer's IdP admin needs it."""
    redirect_urls = _redirect_urls(result)
    if redirect_urls:
        yield f"\n{style.bold('Outputs:')}\n"
        yield "# register each redirect_url at the customer's identity provider"
    for address, redirect_url in redirect_urls:
        yield f"{escape_terminal(address)}.redirect_url = {quote(redirect_url)}"


def _pins(result: ApplyResult, style: Style) -> Iterator[str]:
    """Yield the ids of what was created, which the manifests lack."""
    if result.pins:
        yield f"\n{style.bold('Pins:')}\n"
        yield "# `reconciler pin` adds these ids to the manifests"
    for pin in result.pins:
        attribute = "organization_id" if pin.is_organization else "connection_id"
        yield f"{escape_terminal(pin.address)}.{attribute} = {quote(pin.id)}"


def _redirect_urls(result: ApplyResult) -> list[tuple[str, str]]:
    return [
        (str(applied.address), applied.connection.redirect_url)
        for applied in result.created
        if applied.connection.redirect_url
    ]


def apply_report(result: ApplyResult) -> Report:
    """Return the report of an apply: what failed and what to do, redirect_urls, pins, and all outcomes."""
    return Report(
        title="Apply",
        verdict=_verdict_words(result),
        status=_status(result),
        is_complete=result.is_complete,
        diagnostics=errors_first(result.diagnostics),
        findings=(
            *_failures(result.failed),
            *group_findings(errors_first(result.diagnostics), error_word="refused"),
            *_warnings(result.applied),
        ),
        steps=(*again_steps(result), *pin_steps(result.pins)),
        outputs=_output_table(result),
        counters=tuple(_counters(result)),
        table=_table(result.outcomes),
        origin=Origin(scope=result.scope, commit=result.commit, created_at=result.ended_at)
        if result.scope
        else None,
    )


def _counters(result: ApplyResult) -> Iterator[Counter]:
    yield Counter(number=result.added, words="added", key=Action.CREATE.value)
    yield Counter(number=result.changed, words="changed", key=Action.UPDATE.value)
    yield Counter(number=result.destroyed, words="destroyed", key=Action.DELETE.value)
    others = ((len(result.failed), "failed"), (len(result.skipped), "skipped"))
    yield from (Counter(number=number, words=word, key=word) for number, word in others if number)


def _status(result: ApplyResult) -> Status:
    if not result.is_complete or result.interrupted:
        return Status.BAD
    has_warnings = result.diagnostics or any(applied.warnings for applied in result.applied)
    return Status.ATTENTION if has_warnings else Status.GOOD


def _failures(failures: Iterable[Failed]) -> Iterator[FindingGroup]:
    """Yield the failures, grouped by kind."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for failed in failures:
        entry = Entry(
            summary=f"{failed.address} could not be {_PARTICIPLES[failed.action]}: {failed.message}",
            code=failed.error_type,
            why="; ".join(_facts(failed)),
            fix=failed.advice,
            address=str(failed.address),
        )
        groups.setdefault((failed.error_type, "" if failed.error_type else failed.message), []).append(entry)
    yield from (make_group("failed", entries) for entries in groups.values())


def _facts(failed: Failed) -> Iterator[str]:
    if failed.status:
        yield f"status {failed.status}"
    if failed.request_id:
        yield f"request_id {failed.request_id}"
    if failed.history:
        yield f"before that: {'; '.join(failed.history)}"


def _warnings(applied: Iterable[Applied]) -> Iterator[FindingGroup]:
    """Yield the warnings of the service and of operations."""
    entries = [
        Entry(summary=f"{outcome.address}: {warning}", address=str(outcome.address))
        for outcome in applied
        for warning in outcome.warnings
    ]
    yield from (make_group("warning", [entry]) for entry in entries)


def _output_table(result: ApplyResult) -> Table | None:
    rows = tuple((Cell(address), Cell(url)) for address, url in _redirect_urls(result))
    columns = Column(name="Connection"), Column(name="redirect_url")
    return Table(columns=columns, rows=rows, noun="connection") if rows else None


def _table(outcomes: Iterable[Outcome]) -> Table | None:
    rows = tuple(
        (Cell(str(outcome.address)), _result_cell(outcome), _note_cell(outcome))
        for outcome in sorted(outcomes, key=lambda outcome: _URGENCY.index(type(outcome)))
    )
    return Table(columns=_COLUMNS, rows=rows, noun="connection") if rows else None


def _result_cell(outcome: Outcome) -> Cell:
    match outcome:
        case Applied():
            return Cell(_PARTICIPLES[outcome.action], is_foreign=False)
        case Unneeded():
            return Cell(f"already {_PARTICIPLES[outcome.action]}", is_foreign=False)
        case Failed():
            return Cell(f"failed, not {_PARTICIPLES[outcome.action]}", is_foreign=False, is_strong=True)
        case Skipped():
            return Cell(f"skipped, not {_PARTICIPLES[outcome.action]}", is_foreign=False, is_strong=True)


def _note_cell(outcome: Outcome) -> Cell:
    """Return why an operation was skipped, or what went on during it; failures are shown as findings."""
    history = () if isinstance(outcome, Failed | Skipped) else outcome.history
    note = outcome.reason if isinstance(outcome, Skipped) else "; ".join(history)
    return Cell(note, is_foreign=bool(note))
