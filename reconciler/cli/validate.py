"""``reconciler validate``: everything that is wrong with the manifests, without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.exit_code import ExitCode
from reconciler.cli.options import changed_since_option, reporting_options, variable_option

if TYPE_CHECKING:
    from reconciler.cli.call import Call


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@changed_since_option()
@variable_option()
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(call: Call, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Check manifests offline: every finding of every file at once.

    Needs no credentials, resolves no secrets and sends nothing. PATHs are manifests or folders of
    them; without any, the project file says where they are.
    """
    call.understand(options)
    from reconciler.cli import wiring
    from reconciler.cli.delivery import check_outputs, deliver
    from reconciler.core.errors import InvalidConfiguration
    from reconciler.manifests import collect_manifests
    from reconciler.reports import VALIDATION_FORMATS, Validated
    from reconciler.workflow.selection import select_manifests

    check_outputs(call)
    try:
        project = wiring.project_of(call.config)
        selection = select_manifests(paths, project, options["variables"], options["changed_since"])
        if selection.remark:
            call.console.remark(selection.remark)
        loaded = collect_manifests(selection.files)
        validated = Validated(
            diagnostics=loaded.diagnostics,
            files=loaded.file_count,
            organizations=len(loaded.state.organizations),
            connections=len(loaded.state.connections),
        )
    except InvalidConfiguration as error:
        validated = Validated(diagnostics=error.diagnostics)
    delivered = deliver(validated, VALIDATION_FORMATS, call)
    return ExitCode.SUCCESS if validated.is_valid and delivered else ExitCode.ERROR
