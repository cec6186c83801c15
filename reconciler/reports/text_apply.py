"""Text of an apply, in Terraform's words: failures, skipped operations, counts, new redirect_urls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import Action
from reconciler.reports.escaping import escape_terminal, quote
from reconciler.reports.text_style import (
    PLAIN,
    diagnostic_boxes,
    error_box,
    paragraphs,
    target_heading,
    warning_box,
)
from reconciler.reports.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.outcome import Applied, ApplyResult, Failed, Skipped, Unneeded
    from reconciler.reports.text_style import Style


def render_result(result: ApplyResult, *, style: Style = PLAIN) -> str:
    """Return the summary of a run; it says complete only if everything planned now holds."""
    return "\n".join(_sections(result, style)) + "\n"


def _sections(result: ApplyResult, style: Style) -> Iterator[str]:
    yield from target_heading(result.scope, style)
    for applied in result.applied:
        yield from _remarks(applied, style)
    errors = (diagnostic for diagnostic in result.diagnostics if diagnostic.is_error)
    yield from (f"{box}\n" for box in diagnostic_boxes(errors, style))
    for failed in result.failed:
        yield _failure(failed, style) + "\n"
    yield from (_skipped(skipped) for skipped in result.skipped)
    yield from (_unneeded(unneeded) for unneeded in result.unneeded)
    if result.skipped or result.unneeded:
        yield ""
    yield _verdict(result, style)
    yield from _outputs(result, style)


def _remarks(applied: Applied, style: Style) -> Iterator[str]:
    for warning in applied.warnings:
        yield warning_box(f"{applied.address}: {warning}", (), style) + "\n"
    if applied.history:
        yield escape_terminal(f"{applied.address}: {'; '.join(applied.history)}") + "\n"


def _failure(failed: Failed, style: Style) -> str:
    title = f"{failed.address} could not be {_PARTICIPLES[failed.action]}"
    return error_box(title, _failure_body(failed), style)


def _failure_body(failed: Failed) -> Iterator[str]:
    yield from paragraphs(failed.message)
    facts = (
        ("status", str(failed.status or "")),
        ("error_type", failed.error_type),
        ("request_id", failed.request_id),
    )
    known = [f"{name}: {escape_terminal(value)}" for name, value in facts if value]
    yield from ["", *known] if known else ()
    yield from paragraphs(f"before that: {'; '.join(failed.history)}" if failed.history else "")
    yield from paragraphs(failed.advice and f"hint: {failed.advice}")


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
    counts = f"Resources: {result.added} added, {result.changed} changed, {result.destroyed} destroyed."
    if result.is_complete and not result.interrupted:
        return style.verdict(f"Apply complete! {counts}", is_good=True)
    word = "interrupted" if result.interrupted else "incomplete"
    rest = f"{len(result.failed)} failed, {len(result.skipped)} skipped."
    refused = sum(diagnostic.is_error for diagnostic in result.diagnostics)
    not_planned = f" {count(refused, 'error')} in the plan." if refused else ""
    return style.verdict(f"Apply {word}! {counts} {rest}{not_planned}", is_good=False)


def _outputs(result: ApplyResult, style: Style) -> Iterator[str]:
    """Yield the redirect_url of every created connection: the customer's IdP admin needs it."""
    redirect_urls = [
        (applied.address, applied.connection.redirect_url)
        for applied in result.applied
        if applied.action is Action.CREATE and applied.connection.redirect_url
    ]
    if redirect_urls:
        yield f"\n{style.bold('Outputs:')}\n"
        yield "# register each redirect_url at the customer's identity provider"
    for address, redirect_url in redirect_urls:
        yield f"{escape_terminal(str(address))}.redirect_url = {quote(redirect_url)}"
