"""``reconciler drift``: is live still what Git says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.exit_code import ExitCode
from reconciler.cli.named import named
from reconciler.cli.options import reporting_options, selection_options

if TYPE_CHECKING:
    from reconciler.cli.call import Call
    from reconciler.core.drift import DriftReport


@click.command("drift")
@click.argument("paths", nargs=-1, type=named, metavar="[PATH]...")
@click.option(
    "--previous",
    type=named,
    metavar="FILE",
    help="An earlier report (`--format json`), to tell what is new, still there, or resolved.",
)
@click.option("--no-secrets", is_flag=True, help="Neither resolve nor compare secrets.")
@selection_options(rotates=False)
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(call: Call, /, paths: tuple[str, ...], **options: object) -> int:
    """Tell whether what is live is still what the manifests declare. Nothing is written.

    Exits with 0 if it is, with 2 if there is drift, and with 1 if that cannot be said.
    """
    call.understand(options)
    from reconciler.cli.delivery import check_outputs, deliver
    from reconciler.cli.planning import plan_live
    from reconciler.core.drift import find_drift
    from reconciler.reports import DRIFT_FORMATS

    check_outputs(call)
    previous = _previous(options["previous"])
    planned = plan_live(call, paths, options)
    report = find_drift(planned.plan, previous, planned.coverage)
    delivered = deliver(report, DRIFT_FORMATS, call)
    if report.has_errors or not delivered:
        return ExitCode.ERROR
    return ExitCode.CHANGES if report.has_drift else ExitCode.SUCCESS


def _previous(path: object) -> DriftReport | None:
    from reconciler.storage.drift_file import load_drift_report

    return None if path is None else load_drift_report(Path(str(path)))
