"""``reconciler drift``: report differences between live connections and manifests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.context import exit_code
from reconciler.cli.options import FILE, reporting_options, selection_options
from reconciler.cli.plan import gather, run_connected
from reconciler.cli.results import check_outputs, keep_previous, read_previous, write_result
from reconciler.core.drift import find_drift
from reconciler.reports import DRIFT_FORMATS
from reconciler.storage.documents import load_drift_report
from reconciler.workflow.drift import read_drift

if TYPE_CHECKING:
    from reconciler.cli.context import CommandContext


@click.command("drift")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option(
    "--previous",
    type=FILE,
    metavar="FILE",
    help="An earlier report (`--format json`) to compare with: new, known and resolved findings.",
)
@click.option("--no-secrets", is_flag=True, help="Do not resolve or compare secrets.")
@selection_options(rotates=False)
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Report differences between live connections and manifests; write nothing.

    Endpoints are also compared with those that the identity providers publish; no secret is sent to them.

    Exits with 0 if there are none, with 2 if there are differences, and with 1 if an error leaves
    the report incomplete.
    """
    context.configure(options)
    context.kept = Path(options["previous"]) if options["previous"] else None
    check_outputs(context)
    previous, warnings = read_previous(context.kept, load_drift_report)
    desired, target = gather(context, paths, options, for_drift=True)
    work = partial(read_drift, previous=previous)
    plan, observed = asyncio.run(run_connected(work, desired, target, context))
    observed = replace(observed, diagnostics=(*warnings, *observed.diagnostics))
    report = find_drift(plan, previous, desired.selection, observed)
    if report.has_seen_nothing:
        keep_previous(context)
    written = write_result(report, DRIFT_FORMATS, context)
    return exit_code(failed=report.has_errors or not written, changes=report.has_drift)
