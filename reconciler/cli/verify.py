"""``reconciler verify``: ask identity providers whether logins would work."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.failure import Declined
from reconciler.cli.logging import log_api_calls
from reconciler.cli.login import LoginOptions, check_login, login_options, run_login
from reconciler.cli.options import ADDRESS, FILE, reporting_options, variable_option
from reconciler.cli.progress import asking_progress, reading_progress
from reconciler.cli.results import check_outputs, keep_previous, read_previous, write_result
from reconciler.http.clock import Clock
from reconciler.idp.fetch_settings import fetch_settings
from reconciler.manifests import load_manifests
from reconciler.providers.stytch.connect import connect
from reconciler.reports import VERIFY_FORMATS
from reconciler.reports.escaping import escape_terminal
from reconciler.secrets import read_expiries
from reconciler.storage.documents import load_verification
from reconciler.workflow.judgement import gather_approvals
from reconciler.workflow.named_connection import declared_secret
from reconciler.workflow.verify import VerifyRequest, verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.context import CommandContext
    from reconciler.core.connection import OidcConnection
    from reconciler.core.verification import Verification
    from reconciler.manifests import Loaded, Project
    from reconciler.providers.stytch.credentials import Target
    from reconciler.secrets import ResolvedSecrets
    from reconciler.workflow.live_state import Progress

_TOKEN_BYTES = 16
_QUESTION = """
Do you want to send the declared client secret of {address}?
  It goes to {token_url}
  as client {client_id}, with an authorization code that was never issued.
  Only 'yes' will be accepted.

  Enter a value: """


@click.command("verify")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option("--target", "targets", metavar="ADDRESS", multiple=True, type=ADDRESS,
              help="Only these connections; globs such as 'acme/*'; may be repeated.")  # fmt: skip
@click.option("--probe-credentials", is_flag=True,
              help="Check the live client secrets at the live token endpoints. A control with a "
                   "random secret costs one failed client sign-in in the log of each provider.")  # fmt: skip
@click.option("--probe-declared", metavar="ADDRESS", type=ADDRESS,
              help="Check the secret of the manifest at this live connection, before it is "
                   "rotated; on a terminal only.")  # fmt: skip
@click.option("--previous", type=FILE, metavar="FILE",
              help="An earlier report (`--format json`) to compare with: new, known and resolved "
                   "findings.")  # fmt: skip
@login_options
@variable_option()
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(
    context: CommandContext,
    /,
    paths: tuple[str, ...],
    *,
    targets: tuple[str, ...],
    probe_credentials: bool,
    probe_declared: str | None,
    previous: str | None,
    variables: Mapping[str, str],
    **options: object,
) -> int:
    """Check with the identity providers whether logins would work.

    For each connection: metadata, keys and certificates, and whether its client and redirect_url are
    registered. No user is needed, and no secret is sent unless one is probed; the provider logs one login
    attempt. A probe sends the secret to the live token_url, under the live client_id. Nothing is changed,
    except by --login, which asks first.

    Exits with 1 if there are errors. Warnings and notes exit with 0.
    """
    context.configure(options)
    login = LoginOptions.read(options)
    if login:
        check_login(context, has_others=bool(targets or probe_credentials or probe_declared or previous))
    if probe_declared:
        _check_alone(context, has_others=bool(targets or probe_credentials))
    context.kept = Path(previous) if previous else None
    check_outputs(context)
    earlier, warnings = read_previous(context.kept, load_verification)
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
        probes_live=probe_credentials,
        previous=earlier,
        is_whole=not paths,
        stored=_read_expiries(loaded, targets, project, context),
    )
    if probe_declared:
        request = _with_declared_secret(request, probe_declared)
    if login:
        result = run_login(login, request, target, context)
    else:
        result = asyncio.run(_verify(request, target, context))
    result = replace(result, diagnostics=(*warnings, *result.diagnostics))
    if result.has_seen_nothing:
        keep_previous(context)
    written = write_result(result, VERIFY_FORMATS, context)
    return exit_code(failed=result.has_errors or not written)


def _read_expiries(
    loaded: Loaded, targets: tuple[str, ...], project: Project, context: CommandContext
) -> ResolvedSecrets:
    """Ask secret stores when secrets expire. A job without access to them verifies everything else."""
    connections = [
        declared
        for declared in loaded.state.connections
        if not targets or any(map(declared.address.matches, targets))
    ]
    stored = read_expiries(connections, project.secret_access(os.environ))
    for problem in dict.fromkeys(failure.error.problem for failure in stored.failures):
        context.console.info(f"Some expiry dates in secret stores are not known: {escape_terminal(problem)}")
    return stored


def _check_alone(context: CommandContext, *, has_others: bool) -> None:
    if has_others:
        raise click.UsageError("--probe-declared cannot be combined with --target or --probe-credentials")
    if not context.console.is_interactive:
        raise click.UsageError("--probe-declared sends a secret, and asks first: use it on a terminal")


def _with_declared_secret(request: VerifyRequest, address: str) -> VerifyRequest:
    """Return a request about one connection, with the secret that its manifest declares."""
    access = request.project.secret_access(os.environ)
    connection, secret = declared_secret(address, request.loaded, access)
    return replace(request, targets=(connection.address.pattern,), declared_secret=secret)


async def _verify(request: VerifyRequest, target: Target, context: CommandContext) -> Verification:
    log = log_api_calls(context.console)
    with ExitStack() as stack:

        def asking(total: int) -> Progress:
            stack.close()  # a terminal has room for one bar
            return stack.enter_context(asking_progress(context.console, total))

        def confirm(address: str, live: OidcConnection) -> None:
            stack.close()
            values = {"address": address, "token_url": live.token_url, "client_id": live.client_id}
            escaped = {name: escape_terminal(value or "") for name, value in values.items()}
            if context.console.ask(_QUESTION.format(**escaped)) != "yes":
                raise Declined("Cancelled.")

        reading = stack.enter_context(reading_progress(context.console))
        async with connect(target, request.project.limits, clock=context.clock, api_log=log) as reader:
            return await verify(
                request,
                reader,
                scope=wiring.scope_of(target),
                created_at=wiring.now().isoformat(),
                reading=reading,
                asking=asking,
                confirm=confirm,
            )
