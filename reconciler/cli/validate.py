"""``reconciler validate``: everything that is wrong with the manifests, without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString, changed_since_option, reporting_options, variable_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cli.context import CommandContext
    from reconciler.core.errors import Diagnostic
    from reconciler.manifests import ManifestFile
    from reconciler.reports.validated import Validated


@click.command("validate")
@click.argument("paths", nargs=-1, type=NonEmptyString(), metavar="[PATH]...")
@changed_since_option()
@variable_option()
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Check manifests offline: every finding of every file at once.

    Needs no credentials, resolves no secrets and sends nothing. PATHs are manifests or folders of
    them; without any, the project file says where they are.
    """
    context.configure(options)
    from reconciler.cli import wiring
    from reconciler.cli.output import check_outputs, write_result
    from reconciler.core.errors import InvalidConfiguration
    from reconciler.reports import VALIDATION_FORMATS
    from reconciler.reports.validated import Validated
    from reconciler.workflow.selection import select_manifests

    check_outputs(context)
    try:
        project = wiring.project_of(context.config)
        selection = select_manifests(paths, project, options["variables"], options["changed_since"])
        if selection.remark:
            context.console.info(selection.remark)
        validated = _validated(selection.files)
    except InvalidConfiguration as error:
        validated = Validated(diagnostics=error.diagnostics)
    delivered = write_result(validated, VALIDATION_FORMATS, context)
    return ExitCode.SUCCESS if validated.is_valid and delivered else ExitCode.ERROR


def _validated(stream: Iterable[ManifestFile]) -> Validated:
    """Count what is declared and keep what is wrong; of everything else nothing is kept."""
    from reconciler.reports.validated import Validated

    diagnostics: list[Diagnostic] = []
    files = organizations = connections = 0
    for file in stream:
        diagnostics += file.diagnostics
        files += file.path is not None
        organizations += len(file.organizations)
        connections += sum(len(one.connections) for one in file.organizations)
    return Validated(
        diagnostics=tuple(diagnostics), files=files, organizations=organizations, connections=connections
    )
