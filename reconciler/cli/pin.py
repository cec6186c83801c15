"""``reconciler pin``: add the ids of live organizations and connections to the manifests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import FILE, reporting_options, variable_option
from reconciler.cli.progress import reading_progress
from reconciler.cli.results import check_outputs, write_result
from reconciler.manifests.editing import ManifestEditor
from reconciler.providers.stytch.connect import connect
from reconciler.reports import PIN_FORMATS
from reconciler.storage.documents import load_apply_result
from reconciler.workflow.pin import created_pins, find_pins, in_environment_of, load_files, write_pins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.context import CommandContext
    from reconciler.core.results import PinResult
    from reconciler.manifests import ManifestFile, Project


@click.command("pin")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if an id is missing.")
@click.option(
    "--apply",
    "apply_file",
    type=FILE,
    metavar="FILE",
    help="Take the ids from the result of an apply in JSON: no credentials are needed.",
)
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Add the ids of live organizations and connections to the manifests, so that names may change.

    Only organization_id and connection_id are written, as maps by environment where a file needs or
    has them so; every other byte of a file stays as it is. PATHs are manifests or folders of them;
    default: those of the project file.
    """
    context.configure(options)
    check_outputs(context)
    project = wiring.project_of(context.config)
    file = options["apply_file"]
    result = load_apply_result(Path(file)) if file else None
    if result is not None:
        project = in_environment_of(project, result.scope, file)
    files, errors = load_files(paths, project, options["variables"])
    pinned = created_pins(files, result) if result else asyncio.run(_find_pins(files, project, context))
    pinned = replace(pinned, diagnostics=(*errors, *pinned.diagnostics))
    if not options["check"]:
        pinned = write_pins(files, pinned, ManifestEditor(project, options["variables"]))
    written = write_result(pinned, PIN_FORMATS, context)
    return exit_code(failed=not (pinned.is_settled and written))


async def _find_pins(files: Sequence[ManifestFile], project: Project, context: CommandContext) -> PinResult:
    target, limits = wiring.target_of(project), project.limits
    log = log_api_calls(context.console)
    with reading_progress(context.console, sum(len(file.organizations) for file in files)) as progress:
        async with connect(target, limits, clock=context.clock, api_log=log) as reader:
            pinned = await find_pins(files, reader, concurrency=limits.concurrency, progress=progress)
    return replace(pinned, scope=wiring.scope_of(target))
