"""``reconciler validate``: check manifests offline and report every error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.options import FILE, changed_since_option, reporting_options, variable_option
from reconciler.cli.results import check_outputs, write_result
from reconciler.core.errors import InvalidConfiguration
from reconciler.core.results import ValidationResult
from reconciler.reports import VALIDATION_FORMATS
from reconciler.workflow.base import compare_with_base, guards_to_report
from reconciler.workflow.judgement import gather_approvals
from reconciler.workflow.selection import select_manifests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.context import CommandContext


@click.command("validate")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@changed_since_option()
@variable_option()
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Check manifests offline and report every error.

    Needs no credentials, resolves no secrets and sends no requests. PATHs are manifests or folders
    of manifests; the default is `organizations` in the project file.
    """
    context.configure(options)
    check_outputs(context)
    try:
        validated = _validate(context, paths, options)
    except InvalidConfiguration as error:
        validated = ValidationResult(diagnostics=error.diagnostics)
    written = write_result(validated, VALIDATION_FORMATS, context)
    return exit_code(failed=not validated.is_valid or not written)


def _validate(context: CommandContext, paths: Sequence[str], options: Mapping[str, Any]) -> ValidationResult:
    project = wiring.project_of(context.config)
    manifests = select_manifests(paths, project, options["variables"], options["changed_since"])
    if manifests.remark:
        context.console.info(manifests.remark)
    state = manifests.loaded.state
    approvals = gather_approvals(
        project, wiring.now().date(), manifests.loaded if manifests.is_whole else None
    )
    revision, variables = manifests.revision, options["variables"]
    base = compare_with_base(paths, project, variables, revision) if revision else None
    guards = guards_to_report(base, manifests.loaded) if base else ()
    return ValidationResult(
        diagnostics=(*guards, *manifests.loaded.diagnostics, *approvals.diagnostics),
        files=manifests.loaded.file_count,
        organizations=len(state.organizations),
        connections=len(state.connections),
    )
