"""``reconciler validate``: everything that is wrong with the manifests, without asking anybody."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.exit_code import ExitCode
from reconciler.cli.options import console_of, reporting_options, variable_option


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(config: str | None, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Check manifests offline: every finding of every file at once.

    Needs no credentials, resolves no secrets and sends nothing. PATHs are manifests or folders of
    them; without any, the project file says where they are.
    """
    console = console_of(options)
    from reconciler.cli import wiring
    from reconciler.cli.delivery import deliver
    from reconciler.core.errors import InvalidConfiguration
    from reconciler.reports import VALIDATION_FORMATS, Validated

    try:
        loaded = wiring.manifests_of(wiring.project_of(config), paths, options["variables"])
        validated = Validated(
            diagnostics=loaded.diagnostics,
            files=loaded.file_count,
            organizations=len(loaded.state.organizations),
            connections=len(loaded.state.connections),
        )
    except InvalidConfiguration as error:
        validated = Validated(diagnostics=error.diagnostics)
    deliver(
        validated, VALIDATION_FORMATS, console=console, format_=options["format_"], outputs=options["outputs"]
    )
    return ExitCode.SUCCESS if validated.is_valid else ExitCode.ERROR
