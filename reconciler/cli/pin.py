"""``reconciler pin``: the ids of what is live, written into the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString, reporting_options, variable_option

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("pin")
@click.argument("paths", nargs=-1, type=NonEmptyString(), metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a pin is missing.")
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Write the ids of what is live into the manifests, so that names may change freely.

    Only lines with organization_id and connection_id are added; every other byte of a file stays as
    it is. PATHs are manifests or folders of them; without any, the project file says where they are.
    """
    context.configure(options)
    from reconciler.cli.output import check_outputs, write_result
    from reconciler.cli.pinning import pin_live
    from reconciler.reports import PIN_FORMATS

    check_outputs(context)
    pinned = pin_live(context, paths, options)
    delivered = write_result(pinned, PIN_FORMATS, context)
    return ExitCode.SUCCESS if pinned.is_settled and delivered else ExitCode.ERROR
