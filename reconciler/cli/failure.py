"""How a run that could not do its work ends: a message for people, and whole JSON for machines."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.core.errors import Diagnostic, InvalidConfiguration, ReconcilerError, Severity

if TYPE_CHECKING:
    import click

    from reconciler.cli.call import Call


def report_usage_error(error: click.ClickException, call: Call) -> None:
    """Say what is wrong with the words of a call, and where its help is."""
    from click.exceptions import NoArgsIsHelpError

    if isinstance(error, NoArgsIsHelpError):  # its message is the help itself
        call.console.urgent(error.format_message())
        _report_to_machines((Diagnostic(Severity.ERROR, "usage", "a command is missing"),), call)
        return
    detail = f"see `reconciler {call.verb} --help`" if call.verb else "see `reconciler --help`"
    _report((Diagnostic(Severity.ERROR, "usage", error.format_message(), detail=detail),), call)


def report_failure(error: ReconcilerError, call: Call) -> None:
    """Say why the run stopped: every finding, or the error's own sentence."""
    if isinstance(error, InvalidConfiguration):
        _report(error.diagnostics, call)
    else:
        code = _code(type(error).__name__)
        _report((Diagnostic(Severity.ERROR, code, str(error)),), call)


def report_decline(call: Call) -> None:
    """Say, in Terraform's words, that nothing was done because nobody approved."""
    call.console.urgent("\nApply cancelled.")
    _report_to_machines((Diagnostic(Severity.ERROR, "cancelled", "Apply cancelled."),), call)


def report_interruption(call: Call) -> None:
    """Say that the run was stopped from outside before there was a result."""
    call.console.urgent("\nInterrupted.")
    found = Diagnostic(Severity.ERROR, "interrupted", "Interrupted.")
    _report_to_machines((found,), call, interrupted=True)


def report_bug(error: Exception, call: Call) -> None:
    """Show the traceback of what nobody foresaw, and still answer machines in full."""
    import traceback

    call.console.urgent("".join(traceback.format_exception(error)))
    advice = "please report it with the traceback above"
    found = Diagnostic(
        Severity.ERROR, "bug", f"this is a bug in reconciler: {type(error).__name__}", detail=advice
    )
    _report((found,), call)


def _report(diagnostics: tuple[Diagnostic, ...], call: Call) -> None:
    from reconciler.reports.findings_text import render_diagnostics

    call.console.urgent(render_diagnostics(diagnostics, color=call.console.colors_remarks))
    _report_to_machines(diagnostics, call)


def _report_to_machines(
    diagnostics: tuple[Diagnostic, ...], call: Call, *, interrupted: bool = False
) -> None:
    """Leave no reader of a result with nothing, or with that of an earlier run."""
    from reconciler.cli.delivery import is_like_a_manifest
    from reconciler.storage.files import write_atomically

    for output in call.outputs:
        if is_like_a_manifest(output.path):
            continue
        if text := _document(output.format, diagnostics, call, interrupted=interrupted):
            with contextlib.suppress(ReconcilerError):  # it may be the very error that is reported
                write_atomically(output.path, text)
    if text := _document(call.format, diagnostics, call, interrupted=interrupted):
        call.console.result(text)


def _document(format_: str, diagnostics: tuple[Diagnostic, ...], call: Call, *, interrupted: bool) -> str:
    """Return the failure as a document or page; nothing for text, or if there is no such format."""
    from reconciler.reports.failure_json import failure_json
    from reconciler.reports.failure_page import FAILURE_PAGES

    if format_ == "json":
        at = datetime.now(UTC).replace(microsecond=0).isoformat()
        return failure_json(diagnostics, verb=call.verb, at=at, interrupted=interrupted)
    page = FAILURE_PAGES.get(format_)
    return page(diagnostics) if page else ""


def _code(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
