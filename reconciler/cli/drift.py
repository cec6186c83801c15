"""``reconciler drift``: is live still what Git says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.exit_code import ExitCode
from reconciler.cli.options import console_of, reporting_options, selection_options

if TYPE_CHECKING:
    from reconciler.core.drift import DriftReport


@click.command("drift")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--previous",
    metavar="FILE",
    help="An earlier report (`--format json`), to tell what is new, still there, or resolved.",
)
@click.option("--no-secrets", is_flag=True, help="Neither resolve nor compare secrets.")
@selection_options(rotates=False)
@reporting_options("text", "json")
@click.pass_obj
def command(config: str | None, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Tell whether what is live is still what the manifests declare. Nothing is written.

    Exits with 0 if it is, with 2 if there is drift, and with 1 if that cannot be said.
    """
    console = console_of(options)
    from reconciler.cli.delivery import deliver
    from reconciler.cli.planning import plan_live
    from reconciler.core.drift import Coverage, find_drift
    from reconciler.reports import DRIFT_FORMATS

    previous = _previous(options["previous"])
    planned = plan_live(config, paths, options, console)
    coverage = Coverage(
        targets=options["targets"],
        organizations=planned.organizations if planned.is_selection else None,
    )
    report = find_drift(planned.plan, previous, coverage)
    deliver(report, DRIFT_FORMATS, console=console, format_=options["format_"], outputs=options["outputs"])
    if report.has_errors:
        return ExitCode.ERROR
    return ExitCode.CHANGES if report.has_drift else ExitCode.SUCCESS


def _previous(path: str | None) -> DriftReport | None:
    from reconciler.storage.drift_file import load_drift_report

    return None if path is None else load_drift_report(Path(path))
