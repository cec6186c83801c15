"""``reconciler import``: manifests for what is live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString, reporting_options, variable_option

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("import")
@click.argument("organizations", nargs=-1, type=NonEmptyString(), metavar="[ORGANIZATION]...")
@click.option("--all", "all_", is_flag=True, help="Every organization of the project.")
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

    What is live is only read. Each manifest is pinned to the ids of its organization and
    connections, and refers to secrets as ${env:...}; .env.example lists these variables, without
    values. Files that are there already are never overwritten: what could be added to them is shown.
    """
    context.configure(options)
    if bool(organizations) == options["all_"]:
        raise click.UsageError("name organizations, or say --all for every one of the project")
    from reconciler.cli.importing import import_live
    from reconciler.cli.output import check_outputs, write_result
    from reconciler.reports import IMPORT_FORMATS

    check_outputs(context)
    imported = import_live(context, None if options["all_"] else organizations, options)
    delivered = write_result(imported, IMPORT_FORMATS, context)
    return ExitCode.ERROR if imported.failures or not delivered else ExitCode.SUCCESS
