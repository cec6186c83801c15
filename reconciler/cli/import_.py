"""``reconciler import``: write manifests for live connections."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import ORGANIZATION, NonEmptyString, reporting_options, variable_option
from reconciler.cli.progress import reading_progress
from reconciler.cli.results import check_outputs, write_result
from reconciler.core.errors import SecretUnavailable, UsageError
from reconciler.manifests import load_manifests
from reconciler.manifests.editing import ManifestEditor
from reconciler.manifests.export_names import SecretTemplate, VariableNames
from reconciler.providers.stytch.connect import connect
from reconciler.reports import IMPORT_FORMATS
from reconciler.secrets.age import recipients
from reconciler.workflow.existing_manifests import ExistingManifests, load_existing_manifests
from reconciler.workflow.import_ import import_organizations, manifest_folder
from reconciler.workflow.import_updates import find_updates, write_updates
from reconciler.workflow.live_edits import UpdateRequest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.cli.context import CommandContext
    from reconciler.core.results import ImportResult
    from reconciler.manifests import Project
    from reconciler.workflow.import_updates import Updates


@click.command("import")
@click.argument("names", nargs=-1, type=ORGANIZATION, metavar="[ORGANIZATION|ADDRESS]...")
@click.option("--all", "all_", is_flag=True, help="All organizations of the project.")
@click.option(
    "--update",
    is_flag=True,
    help="Take live edits into manifests that exist: only the values that differ are replaced.",
)
@click.option("--add", is_flag=True, help="Append undeclared connections to manifests that exist.")
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
    " needed. TEMPLATE has {organization} and {connection}: vault:sso/{organization}#{connection}. With"
    " age:, live secrets are encrypted into the files that the template names.",
)
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(context: CommandContext, /, names: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Write a manifest for each ORGANIZATION (its id, slug or external id) that has none yet.

    Live connections are only read. A manifest pins the ids of its organization and connections. With
    --secrets none, secrets stay unmanaged, and can be connected later. Otherwise the manifest refers to
    them, by default as ${env:...}; .env.example lists these variables, without values. Existing files are
    never overwritten: the output shows what could be added to them.

    With --update, --add or both, existing manifests are edited instead: those of each ADDRESS (globs such
    as 'acme/*'), or all. Every other byte stays. Secrets, ignored fields and values with references are
    left, and named. Nothing is removed.
    """
    context.configure(options)
    if options["update"] or options["add"]:
        return _update(context, names, options)
    if bool(names) == options["all_"]:
        raise click.UsageError("name organizations, or use --all for every organization of the project")
    secrets = SecretTemplate.parse(options["secrets"])
    check_outputs(context)
    project = wiring.project_of(context.config)
    _check_permitted(secrets, project)
    folder = manifest_folder(project, options["into"])
    existing = load_existing_manifests(project, folder, options["variables"])
    references = None if options["all_"] else names
    imported = asyncio.run(_import(references, project, existing, folder, context, secrets=secrets))
    written = write_result(imported, IMPORT_FORMATS, context)
    return exit_code(failed=bool(imported.failures) or not written)


def _check_permitted(template: SecretTemplate, project: Project) -> None:
    """Refuse a template that no reference of this project can follow, before anything is read.

    Raises:
        UsageError: the project file permits nothing of its scheme, or names nobody to encrypt for.
    """
    if refusal := template.why_not_permitted(project.secret_policy):
        raise UsageError(refusal)
    if template.scheme == "age":
        try:
            recipients(project.age)
        except SecretUnavailable as error:
            raise UsageError(f"live secrets cannot be encrypted: {error}") from None


async def _import(
    references: Sequence[str] | None,
    project: Project,
    existing: ExistingManifests,
    folder: Path,
    context: CommandContext,
    *,
    secrets: SecretTemplate,
) -> ImportResult:
    target = wiring.target_of(project)
    log = log_api_calls(context.console)
    with reading_progress(context.console) as progress:
        async with connect(target, project.limits, clock=context.clock, api_log=log) as directory:
            imported = await import_organizations(
                references,
                directory,
                project=project,
                existing=existing,
                folder=folder,
                progress=progress,
                access=project.secret_access(os.environ),
                secrets=secrets,
            )
    return replace(imported, scope=wiring.scope_of(target))


def _update(context: CommandContext, addresses: Sequence[str], options: dict[str, Any]) -> int:
    """Take what is live into existing manifests."""
    if options["all_"] or options["into"] is not None:
        raise click.UsageError("--update and --add edit existing manifests: omit --all and --into")
    source = click.get_current_context().get_parameter_source("secrets")
    if source is ParameterSource.COMMANDLINE and not options["add"]:
        raise click.UsageError("--update takes over no secret: omit --secrets, or use --add as well")
    request = UpdateRequest(addresses=tuple(addresses), updates=options["update"], adds=options["add"])
    template = SecretTemplate.parse(options["secrets"])
    check_outputs(context)
    project = wiring.project_of(context.config)
    _check_permitted(template, project)
    loaded = load_manifests((), project, options["variables"])
    existing = ExistingManifests(loaded.state.organizations, loaded.refused)
    variables = [*existing.variables]
    names = VariableNames(project.secret_policy, (locator for locator, _ in existing.locators), template)
    target = wiring.target_of(project)

    log = log_api_calls(context.console)

    async def read() -> Updates:
        with reading_progress(context.console) as progress:
            async with connect(target, project.limits, clock=context.clock, api_log=log) as reader:
                return await find_updates(
                    request, loaded, reader, names, concurrency=project.limits.concurrency, progress=progress
                )

    updates = asyncio.run(read())
    editor = ManifestEditor(project, options["variables"])
    access = project.secret_access(os.environ)
    result = write_updates(updates, loaded.files, editor, project=project, variables=variables, access=access)
    written = write_result(replace(result, scope=wiring.scope_of(target)), IMPORT_FORMATS, context)
    return exit_code(failed=bool(result.failures) or not written)
