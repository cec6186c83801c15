"""``reconciler pin``: add the ids of live organizations and connections to the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import exit_code
from reconciler.cli.options import NonEmptyString, reporting_options, variable_option
from reconciler.cli.output import check_outputs, write_result
from reconciler.cli.pinning import pin_live
from reconciler.reports import PIN_FORMATS

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("pin")
@click.argument("paths", nargs=-1, type=NonEmptyString(), metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if an id is missing.")
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Add the ids of live organizations and connections to the manifests, so that names may change.

    Only lines with organization_id and connection_id are added; every other byte of a file stays as
    it is. PATHs are manifests or folders of them; default: those of the project file.
    """
    context.configure(options)
    check_outputs(context)
    pinned = pin_live(context, paths, options)
    written = write_result(pinned, PIN_FORMATS, context)
    return exit_code(failed=not (pinned.is_settled and written))
