"""``reconciler import``: write manifests for live connections."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import NonEmptyString, reporting_options, variable_option
from reconciler.cli.output import check_outputs, write_result
from reconciler.cli.progress import reading_progress
from reconciler.manifests.export_names import SecretTemplate
from reconciler.providers.stytch.connect import connect
from reconciler.reports import IMPORT_FORMATS
from reconciler.workflow.existing_manifests import load_existing_manifests
from reconciler.workflow.import_ import import_organizations, manifest_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.context import CommandContext
    from reconciler.core.results import ImportResult
    from reconciler.manifests import Project
    from reconciler.workflow.existing_manifests import ExistingManifests


@click.command("import")
@click.argument("organizations", nargs=-1, type=NonEmptyString(), metavar="[ORGANIZATION]...")
@click.option("--all", "all_", is_flag=True, help="All organizations of the project.")
@click.option(
    "--into",
    type=NonEmptyString(),
    metavar="DIR",
    help="The folder for new manifests; default: where the project file looks for them.",
)
@click.option(
    "--secrets",
    default="env",
    show_default=True,
    metavar="env|none|SCHEME:TEMPLATE",
    type=NonEmptyString(),
    help="How new manifests refer to client secrets. none: secrets stay unmanaged, and no variable is"
    " needed. TEMPLATE has {organization} and {connection}: file:secrets/{organization}/{connection}.",
)
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(context: CommandContext, /, organizations: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Write a manifest for each ORGANIZATION (its id, slug or external id) that has none yet.

    Live connections are only read. A manifest pins the ids of its organization and connections. With
    --secrets none, secrets stay unmanaged, and can be connected later. Otherwise the manifest refers to
    them as ${env:...}; .env.example lists these variables, without values. Existing files are never
    overwritten: the output shows what could be added to them.
    """
    context.configure(options)
    if bool(organizations) == options["all_"]:
        raise click.UsageError("name organizations, or use --all for every organization of the project")
    secrets = SecretTemplate.parse(options["secrets"])
    check_outputs(context)
    project = wiring.project_of(context.config)
    folder = manifest_folder(project, options["into"])
    existing = load_existing_manifests(project, folder, options["variables"])
    references = None if options["all_"] else organizations
    imported = asyncio.run(_import(references, project, existing, folder, context.console, secrets=secrets))
    written = write_result(imported, IMPORT_FORMATS, context)
    return exit_code(failed=bool(imported.failures) or not written)


async def _import(
    references: Sequence[str] | None,
    project: Project,
    existing: ExistingManifests,
    folder: Path,
    console: Console,
    *,
    secrets: SecretTemplate,
) -> ImportResult:
    target = wiring.target_of(project)
    with reading_progress(console) as progress:
        async with connect(target, project.limits, api_log=log_api_calls(console)) as directory:
            imported = await import_organizations(
                references,
                directory,
                project=project,
                existing=existing,
                folder=folder,
                progress=progress,
                secrets=secrets,
            )
    return replace(imported, scope=wiring.scope_of(target))
