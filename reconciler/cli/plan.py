"""``reconciler plan``: show what apply would do, and write nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString, reporting_options, selection_options

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("plan")
@click.argument("paths", nargs=-1, type=NonEmptyString(), metavar="[PATH]...")
@click.option(
    "--out", type=NonEmptyString(), metavar="FILE", help="Save the plan, to be applied exactly as shown."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@click.option(
    "--no-secrets",
    is_flag=True,
    help="Neither resolve nor compare secrets, as for untrusted pull requests.",
)
@selection_options()
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Show what apply would do, and write nothing.

    PATHs are manifests or folders of them; without any, the project file says where they are.
    """
    context.configure(options)
    from reconciler.cli.output import check_outputs, write_result
    from reconciler.cli.planning import plan_live
    from reconciler.reports import PLAN_FORMATS

    saved = Path(options["out"]) if options["out"] else None
    check_outputs(context, saved)
    planned = plan_live(context, paths, options)
    delivered = write_result(planned.plan, PLAN_FORMATS, context, saved)
    if saved and delivered:
        context.console.info(f"\nSaved the plan to: {str(saved)!r}")
    if planned.plan.has_errors or not delivered:
        return ExitCode.ERROR
    if options["detailed_exitcode"] and planned.plan.has_changes:
        return ExitCode.CHANGES
    return ExitCode.SUCCESS
