"""What an apply did, in Terraform's words: failures, what was skipped, the counts, the new redirect_urls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Action
from reconciler.reports.escaping import escape_terminal, quote
from reconciler.reports.text_findings import diagnostic_box, error_box, paragraphs, warning_box
from reconciler.reports.text_style import Style, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.outcome import Applied, ApplyResult, Failed, Skipped, Unneeded


def render_result(result: ApplyResult, *, color: bool = False) -> str:
    """Return the summary of a run; it says complete only if everything planned now holds."""
    style = Style(color)
    return "\n".join(_sections(result, style)) + "\n"


def _sections(result: ApplyResult, style: Style) -> Iterator[str]:
    for one in result.applied:
        yield from _remarks(one, style)
    for found in result.diagnostics:
        if found.is_error:
            yield diagnostic_box(found, style) + "\n"
    for failed in result.failed:
        yield _failure(failed, style) + "\n"
    yield from (_skipped(one) for one in result.skipped)
    yield from (_unneeded(one) for one in result.unneeded)
    if result.skipped or result.unneeded:
        yield ""
    yield _verdict(result, style)
    yield from _outputs(result, style)


def _remarks(one: Applied, style: Style) -> Iterator[str]:
    for warning in one.warnings:
        yield warning_box(f"{one.address}: {warning}", (), style) + "\n"
    if one.history:
        yield escape_terminal(f"{one.address}: {'; '.join(one.history)}") + "\n"


def _failure(one: Failed, style: Style) -> str:
    title = f"{one.address} could not be {_PARTICIPLES[one.action]}"
    return error_box(title, _failure_body(one), style)


def _failure_body(one: Failed) -> Iterator[str]:
    yield from paragraphs(one.message)
    facts = (
        ("status", str(one.status or "")),
        ("error_type", one.error_type),
        ("request_id", one.request_id),
    )
    known = [f"{name}: {escape_terminal(value)}" for name, value in facts if value]
    yield from ["", *known] if known else ()
    yield from paragraphs(f"before that: {'; '.join(one.history)}" if one.history else "")
    yield from paragraphs(one.advice and f"hint: {one.advice}")


def _skipped(one: Skipped) -> str:
    return escape_terminal(f"{one.address}: Skipped, not {_PARTICIPLES[one.action]}: {one.reason}")


def _unneeded(one: Unneeded) -> str:
    return f"{escape_terminal(str(one.address))}: Nothing left to do: already {_PARTICIPLES[one.action]}"


_PARTICIPLES = {
    Action.NO_OP: "changed",
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DELETE: "destroyed",
}


def _verdict(result: ApplyResult, style: Style) -> str:
    counts = f"Resources: {result.added} added, {result.changed} changed, {result.destroyed} destroyed."
    if result.is_complete and not result.interrupted:
        return style.verdict(f"Apply complete! {counts}", is_good=True)
    word = "interrupted" if result.interrupted else "incomplete"
    rest = f"{len(result.failed)} failed, {len(result.skipped)} skipped."
    refused = sum(found.is_error for found in result.diagnostics)
    not_planned = f" {count(refused, 'error')} in the plan." if refused else ""
    return style.verdict(f"Apply {word}! {counts} {rest}{not_planned}", is_good=False)


def _outputs(result: ApplyResult, style: Style) -> Iterator[str]:
    """Yield the redirect_url of every created connection: the customer's IdP admin needs it."""
    created = [one for one in result.applied if one.action is Action.CREATE and one.connection.redirect_url]
    if created:
        yield f"\n{style.bold('Outputs:')}\n"
        yield "# register each redirect_url at the customer's identity provider"
    for one in created:
        yield f"{escape_terminal(str(one.address))}.redirect_url = {quote(one.connection.redirect_url or '')}"
