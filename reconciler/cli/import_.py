"""``reconciler import``: write manifests for live connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import exit_code
from reconciler.cli.importing import import_live
from reconciler.cli.options import NonEmptyString, reporting_options, variable_option
from reconciler.cli.output import check_outputs, write_result
from reconciler.reports import IMPORT_FORMATS

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("import")
@click.argument("organizations", nargs=-1, type=NonEmptyString(), metavar="[ORGANIZATION]...")
@click.option("--all", "all_", is_flag=True, help="All organizations of the project.")
@click.option(
    "--into",
    type=NonEmptyString(),
    metavar="DIR",
    help="The folder for new manifests; default: where the project file looks for them.",
)
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(context: CommandContext, /, organizations: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Write a manifest for each ORGANIZATION (its id, slug or external id) that has none yet.

    Live connections are only read. A manifest pins the ids of its organization and connections, and
    refers to secrets as ${env:...}; .env.example lists these variables, without values. Existing
    files are never overwritten: the output shows what could be added to them.
    """
    context.configure(options)
    if bool(organizations) == options["all_"]:
        raise click.UsageError("name organizations, or use --all for every organization of the project")
    check_outputs(context)
    imported = import_live(context, None if options["all_"] else organizations, options)
    written = write_result(imported, IMPORT_FORMATS, context)
    return exit_code(failed=bool(imported.failures) or not written)
