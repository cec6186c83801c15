"""``reconciler plan``: show what apply would do, and write nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.exit_code import ExitCode
from reconciler.cli.options import console_of, reporting_options, selection_options


@click.command("plan")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--out", metavar="FILE", help="Save the plan, to be applied exactly as shown.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@click.option(
    "--no-secrets",
    is_flag=True,
    help="Neither resolve nor compare secrets, as for untrusted pull requests.",
)
@selection_options()
@reporting_options("text", "json")
@click.pass_obj
def command(config: str | None, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Show what apply would do, and write nothing.

    PATHs are manifests or folders of them; without any, the project file says where they are.
    """
    console = console_of(options)
    from reconciler import __version__
    from reconciler.cli.delivery import deliver
    from reconciler.cli.planning import plan_live
    from reconciler.reports import PLAN_FORMATS
    from reconciler.storage.plan_file import save_plan

    planned = plan_live(config, paths, options, console)
    deliver(
        planned.plan, PLAN_FORMATS, console=console, format_=options["format_"], outputs=options["outputs"]
    )
    if options["out"]:
        save_plan(Path(options["out"]), planned.plan, __version__)
        console.remark(f"\nSaved the plan to: {options['out']}")
    if planned.plan.has_errors:
        return ExitCode.ERROR
    if options["detailed_exitcode"] and planned.plan.has_changes:
        return ExitCode.CHANGES
    return ExitCode.SUCCESS
