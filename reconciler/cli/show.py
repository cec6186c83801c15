"""``reconciler show``: a saved plan in any format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.exit_code import ExitCode
from reconciler.cli.options import reporting_options

if TYPE_CHECKING:
    from reconciler.cli.call import Call


@click.command("show")
@click.argument("plan_file", metavar="PLAN_FILE")
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(call: Call, /, plan_file: str, **options: Any) -> int:  # noqa: ANN401 - options
    """Show a plan that `plan --out` saved. Nothing is read but the file.

    It exits with 1 if the plan has errors, as `plan` did.
    """
    call.understand(options)
    from reconciler.cli.delivery import check_outputs, deliver
    from reconciler.reports import PLAN_FORMATS
    from reconciler.reports.origin_text import render_origin
    from reconciler.storage.plan_file import load_plan

    check_outputs(call)
    plan = load_plan(Path(plan_file))
    call.console.remark(render_origin(plan))
    delivered = deliver(plan, PLAN_FORMATS, call)
    return ExitCode.ERROR if plan.has_errors or not delivered else ExitCode.SUCCESS
