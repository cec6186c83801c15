"""From the words of a pin to its files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from reconciler.cli import wiring
from reconciler.cli.logging import journal_of
from reconciler.cli.progress import reading_progress
from reconciler.core.errors import InvalidConfiguration
from reconciler.manifests import stream_manifests
from reconciler.manifests.pinning import Pinner
from reconciler.providers.stytch.connect import connect
from reconciler.workflow.pinning import find_pins, write_pins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.context import CommandContext
    from reconciler.core.pin_document import Pinned
    from reconciler.manifests import ManifestFile, Project


def pin_live(context: CommandContext, paths: Sequence[str], options: Mapping[str, Any]) -> Pinned:
    """Look up what the manifests mean, and write down what is missing unless that is only checked.

    Raises:
        ReconcilerError: a manifest has errors, or something cannot be read or written.
    """
    project = wiring.project_of(context.config)
    files = [*stream_manifests(paths, project, options["variables"])]
    errors = tuple(found for file in files for found in file.diagnostics if found.is_error)
    if errors:
        raise InvalidConfiguration(errors)
    found = asyncio.run(_find(context, project, files))
    if options["check"]:
        return found
    return write_pins(files, found, Pinner(project, options["variables"]))


async def _find(context: CommandContext, project: Project, files: Sequence[ManifestFile]) -> Pinned:
    limits = project.limits
    with reading_progress(context.console) as progress:
        async with connect(
            wiring.target_of(project), limits, journal=journal_of(context.console)
        ) as provider:
            return await find_pins(files, provider, concurrency=limits.concurrency, progress=progress)
