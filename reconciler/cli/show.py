"""``reconciler show``: show a saved plan in any format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.options import FILE, reporting_options
from reconciler.cli.results import check_outputs, write_result
from reconciler.reports import PLAN_FORMATS
from reconciler.reports.text_plan import render_origin
from reconciler.storage.documents import load_plan
from reconciler.workflow.merge import merge_plans

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("show")
@click.argument("plan_files", metavar="PLAN_FILE...", nargs=-1, type=FILE, required=True)
@click.option("--merge", is_flag=True, help="Combine the plans of all shards.")
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, plan_files: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Show a saved plan; send no requests.

    With --merge, the plans of all shards, as saved by `plan --shard I/N --out`, are combined into
    one; the delete limits of the project file apply to all of it. Exits with 1 if the plan has errors
    or a shard is missing.
    """
    context.configure(options)
    if len(plan_files) > 1 and not options["merge"]:
        raise click.UsageError("show one plan at a time, or combine the plans of all shards with --merge")
    check_outputs(context)
    plans = [load_plan(Path(file)) for file in plan_files]
    plan = merge_plans(plans, wiring.project_of(context.config).limits) if options["merge"] else plans[0]
    context.console.info(render_origin(plan))
    written = write_result(plan, PLAN_FORMATS, context)
    return exit_code(failed=plan.has_errors or not written)
