"""``reconciler show``: a saved plan in any format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.exit_code import ExitCode
from reconciler.cli.options import console_of, reporting_options


@click.command("show")
@click.argument("plan_file", metavar="PLAN_FILE")
@reporting_options("text", "json")
def command(plan_file: str, **options: Any) -> int:  # noqa: ANN401 - options
    """Show a plan that `plan --out` saved. Nothing is read but the file."""
    console = console_of(options)
    from reconciler.cli.delivery import deliver
    from reconciler.reports import PLAN_FORMATS
    from reconciler.storage.plan_file import load_plan

    plan = load_plan(Path(plan_file))
    deliver(plan, PLAN_FORMATS, console=console, format_=options["format_"], outputs=options["outputs"])
    return ExitCode.SUCCESS
