"""``reconciler verify``: ask identity providers whether logins would work."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import ADDRESS, FILE, reporting_options, variable_option
from reconciler.cli.progress import asking_progress, reading_progress
from reconciler.cli.results import check_outputs, write_result
from reconciler.http.clock import Clock
from reconciler.idp.fetch_settings import fetch_settings
from reconciler.manifests import load_manifests
from reconciler.providers.stytch.connect import connect
from reconciler.reports import VERIFY_FORMATS
from reconciler.workflow.judgement import gather_approvals
from reconciler.workflow.verify import VerifyRequest, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.context import CommandContext
    from reconciler.core.verification import Verification
    from reconciler.providers.stytch.credentials import Target
    from reconciler.workflow.live_state import Progress

_TOKEN_BYTES = 16


@click.command("verify")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option("--target", "targets", metavar="ADDRESS", multiple=True, type=ADDRESS,
              help="Only these connections; globs such as 'acme/*'; may be repeated.")  # fmt: skip
@variable_option()
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(
    context: CommandContext,
    /,
    paths: tuple[str, ...],
    *,
    targets: tuple[str, ...],
    variables: Mapping[str, str],
    **options: object,
) -> int:
    """Ask the identity providers of all connections whether logins would work; write nothing.

    For each connection: metadata, keys and certificates, and whether its client and redirect_url are
    registered. No secret is sent, and no user is needed; the provider logs one login attempt.

    Exits with 0 if nothing is wrong, warnings included, and with 1 if there are errors.
    """
    context.configure(options)
    check_outputs(context)
    project = wiring.project_of(context.config)
    wiring.check_target(project)
    loaded = load_manifests(paths, project, variables)
    target = wiring.target_of(project)
    request = VerifyRequest(
        project=project,
        loaded=loaded,
        approvals=gather_approvals(project, wiring.now().date(), None if paths else loaded),
        fetch=fetch_settings(project.idp, project.root, os.environ, target.address),
        make_token=lambda: secrets.token_urlsafe(_TOKEN_BYTES),
        wall=(context.clock or Clock()).wall,
        targets=targets,
    )
    result = asyncio.run(_verify(request, target, context))
    written = write_result(result, VERIFY_FORMATS, context)
    return exit_code(failed=result.has_errors or not written)


async def _verify(request: VerifyRequest, target: Target, context: CommandContext) -> Verification:
    log = log_api_calls(context.console)
    with ExitStack() as stack:

        def asking(total: int) -> Progress:
            stack.close()  # a terminal has room for one bar
            return stack.enter_context(asking_progress(context.console, total))

        reading = stack.enter_context(reading_progress(context.console))
        async with connect(target, request.project.limits, clock=context.clock, api_log=log) as reader:
            return await verify(
                request,
                reader,
                scope=wiring.scope_of(target),
                created_at=wiring.now().isoformat(),
                reading=reading,
                asking=asking,
            )
