"""``reconciler drift``: is live still what Git says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.context import ExitCode
from reconciler.cli.options import NonEmptyString, reporting_options, selection_options

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext
    from reconciler.core.drift import DriftReport


@click.command("drift")
@click.argument("paths", nargs=-1, type=NonEmptyString(), metavar="[PATH]...")
@click.option(
    "--previous",
    type=NonEmptyString(),
    metavar="FILE",
    help="An earlier report (`--format json`), to tell what is new, still there, or resolved.",
)
@click.option("--no-secrets", is_flag=True, help="Neither resolve nor compare secrets.")
@selection_options(rotates=False)
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: object) -> int:
    """Tell whether what is live is still what the manifests declare. Nothing is written.

    Exits with 0 if it is, with 2 if there is drift, and with 1 if that cannot be said.
    """
    context.configure(options)
    from reconciler.cli.output import check_outputs, write_result
    from reconciler.cli.planning import plan_live
    from reconciler.core.drift import find_drift
    from reconciler.reports import DRIFT_FORMATS

    check_outputs(context)
    previous = _previous(options["previous"])
    planned = plan_live(context, paths, options)
    report = find_drift(planned.plan, previous, planned.coverage)
    delivered = write_result(report, DRIFT_FORMATS, context)
    if report.has_errors or not delivered:
        return ExitCode.ERROR
    return ExitCode.CHANGES if report.has_drift else ExitCode.SUCCESS


def _previous(path: object) -> DriftReport | None:
    from reconciler.storage.drift_file import load_drift_report

    return None if path is None else load_drift_report(Path(str(path)))
