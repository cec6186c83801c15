"""``reconciler list``: list the connections that are declared or live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import ADDRESS, ORGANIZATION, reporting_options, variable_option
from reconciler.cli.progress import reading_progress
from reconciler.cli.results import check_outputs, write_result
from reconciler.manifests import load_manifests
from reconciler.providers.stytch.connect import connect
from reconciler.reports import INVENTORY_FORMATS
from reconciler.workflow.inventory import InventoryRequest, read_inventory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.context import CommandContext
    from reconciler.core.inventory import Inventory

_MANIFEST_SUFFIXES = (".yaml", ".yml")


@click.command("list")
@click.argument("names", nargs=-1, type=ORGANIZATION, metavar="[ORGANIZATION|PATH]...")
@click.option("--all", "all_", is_flag=True, help="Also organizations that no manifest declares.")
@click.option("--target", "targets", metavar="ADDRESS", multiple=True, type=ADDRESS,
              help="Only these connections; globs such as 'acme/*'; may be repeated.")  # fmt: skip
@variable_option()
@reporting_options("text", "json")
@click.pass_obj
def command(
    context: CommandContext,
    /,
    names: tuple[str, ...],
    *,
    all_: bool,
    targets: tuple[str, ...],
    variables: Mapping[str, str],
    **options: object,
) -> int:
    """List connections: address, display name, provider, status, IDs, redirect_url, and whether managed.

    Without arguments, the organizations of all manifests are listed. An ORGANIZATION is an id, slug or
    external id, declared or not; an argument with a slash or with the suffix .yaml is a PATH of manifests.
    """
    context.configure(options)
    check_outputs(context)
    paths = tuple(name for name in names if is_path(name))
    request = InventoryRequest(
        references=tuple(name for name in names if not is_path(name)), targets=targets, all_=all_
    )
    inventory = inventory_of(context, request, paths, variables)
    written = write_result(inventory, INVENTORY_FORMATS, context)
    return exit_code(failed=inventory.has_errors or not written)


def is_path(name: str) -> bool:
    """Tell whether an argument is a path; names of organizations have no slash."""
    return "/" in name or name.endswith(_MANIFEST_SUFFIXES)


def inventory_of(
    context: CommandContext, request: InventoryRequest, paths: Sequence[str], variables: Mapping[str, str]
) -> Inventory:
    """Read the manifests, then the live state. Secrets are not resolved."""
    project = wiring.project_of(context.config)
    loaded = load_manifests(paths, project, variables)
    target = wiring.target_of(project)
    log = log_api_calls(context.console)

    async def read() -> Inventory:
        with reading_progress(context.console) as progress:
            async with connect(target, project.limits, clock=context.clock, api_log=log) as directory:
                return await read_inventory(
                    request, loaded, directory, limits=project.limits, progress=progress
                )

    return asyncio.run(read())
