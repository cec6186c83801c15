"""Reports fatal errors as text and JSON."""

from __future__ import annotations

import contextlib
import os
import traceback
from typing import TYPE_CHECKING

import click
from click.exceptions import NoArgsIsHelpError

from reconciler.cli import wiring
from reconciler.cli.context import ExitCode
from reconciler.cli.results import looks_like_manifest, source_links
from reconciler.cli.usage_hints import describe_usage_error, help_command
from reconciler.core.errors import Diagnostic, InvalidConfiguration, ReconcilerError, Severity
from reconciler.reports import FAILURE_FORMATS
from reconciler.reports.json_documents import failure_json
from reconciler.reports.text_style import render_diagnostics
from reconciler.storage.files import write_atomically

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext
    from reconciler.core.codes import Code
    from reconciler.core.plan import Scope


class Declined(Exception):
    """The user did not answer a question with yes; without a text, the one about a plan."""


def report_failure(error: BaseException, context: CommandContext) -> ExitCode:
    """Report why a run ended without a result, and return its exit code."""
    match error:
        case NoArgsIsHelpError():
            context.console.error(error.format_message())  # the help
            _write_documents((Diagnostic(Severity.ERROR, "usage-error", "a command is missing"),), context)
        case click.ClickException():
            summary, hint = describe_usage_error(error, context.arguments)
            detail = f"see `{help_command(error, context.verb)}`"
            _report_one("usage-error", summary, context, detail=detail, hint=hint)
        case InvalidConfiguration():
            _report(error.diagnostics, context)
        case ReconcilerError(code=code) if code != "bug":
            _report_one(code, str(error), context)
        case Declined():
            _report_stop("cancelled", str(error) or "Apply cancelled.", context)
        case click.Abort() | KeyboardInterrupt():
            _report_stop("interrupted", "Interrupted.", context)
            return ExitCode.INTERRUPTED
        case _:
            context.console.error("".join(traceback.format_exception(error)))
            summary = f"this is a bug in reconciler: {type(error).__name__}"
            _report_one("bug", summary, context, detail="please report it with the traceback above")
    return ExitCode.ERROR


def _report_stop(code: Code, message: str, context: CommandContext) -> None:
    context.console.error(f"\n{message}")
    _write_documents((Diagnostic(Severity.ERROR, code, message),), context, interrupted=code == "interrupted")


def _report_one(code: Code, summary: str, context: CommandContext, detail: str = "", hint: str = "") -> None:
    _report((Diagnostic(Severity.ERROR, code, summary, detail=detail, hint=hint),), context)


def _report(diagnostics: tuple[Diagnostic, ...], context: CommandContext) -> None:
    context.console.error(render_diagnostics(diagnostics, style=context.console.stderr_style))
    _write_documents(diagnostics, context)


def _write_documents(
    diagnostics: tuple[Diagnostic, ...], context: CommandContext, *, interrupted: bool = False
) -> None:
    """Write the failure wherever the result was wanted, so that no reader takes an old result for new.

    The report that the run was to be compared with stays: the next run is compared with it.
    """
    at, links, scope = wiring.now().isoformat(), source_links(os.environ), _known_scope(context, diagnostics)

    def render(format_: str) -> str:
        """Return the failure in a format; empty for text and for unknown formats."""
        if format_ == "json":
            return failure_json(diagnostics, verb=context.verb, at=at, scope=scope, interrupted=interrupted)
        page = FAILURE_FORMATS.get(format_)
        return page(diagnostics, links=links) if page else ""

    for path, format_ in context.replaceable_outputs:
        text = render(format_)
        if text and not looks_like_manifest(path):
            with contextlib.suppress(ReconcilerError):  # it may be the very error that is reported
                write_atomically(path, text)
    if text := render(context.format):
        context.console.result(text)


def _known_scope(context: CommandContext, diagnostics: tuple[Diagnostic, ...]) -> Scope | None:
    """Return the project of a plan or apply that failed, if that is not what could not be read."""
    is_bug = any(diagnostic.code == "bug" for diagnostic in diagnostics)
    if is_bug or context.verb not in {"plan", "apply"}:
        return None
    with contextlib.suppress(Exception):  # the bug that is reported may be in these
        project = wiring.project_of(context.config)
        wiring.check_target(project)
        return wiring.scope_of(wiring.target_of(project))
    return None
