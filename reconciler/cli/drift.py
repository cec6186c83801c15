"""``reconciler drift``: report differences between live connections and manifests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import exit_code
from reconciler.cli.options import NonEmptyString, reporting_options, selection_options
from reconciler.cli.output import check_outputs, write_result
from reconciler.cli.plan import plan_live
from reconciler.core.drift import find_drift
from reconciler.policies import find_live_risks
from reconciler.reports import DRIFT_FORMATS
from reconciler.storage.documents import load_drift_report

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("drift")
@click.argument("paths", nargs=-1, type=NonEmptyString(), metavar="[PATH]...")
@click.option(
    "--previous",
    type=NonEmptyString(),
    metavar="FILE",
    help="An earlier report (`--format json`) to compare with: new, known and resolved findings.",
)
@click.option("--no-secrets", is_flag=True, help="Do not resolve or compare secrets.")
@selection_options(rotates=False)
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Report differences between live connections and manifests; write nothing.

    Exits with 0 if there are none, with 2 if there are differences, and with 1 if an error leaves
    the report incomplete.
    """
    context.configure(options)
    check_outputs(context)
    previous = load_drift_report(Path(options["previous"])) if options["previous"] else None
    planned = plan_live(context, paths, options)
    risks = find_live_risks(planned.plan.live, planned.project.policies, planned.approvals)
    report = find_drift(planned.plan, previous, planned.selection, risks)
    written = write_result(report, DRIFT_FORMATS, context)
    return exit_code(failed=report.has_errors or not written, changes=report.has_drift)
