"""``reconciler secrets``: check the references to secrets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.options import ADDRESS, FILE, variable_option
from reconciler.core.errors import UsageError
from reconciler.manifests import load_manifests
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.json_documents import secrets_check_json
from reconciler.reports.text_style import render_diagnostics
from reconciler.reports.wording import count
from reconciler.secrets.check import check_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.context import CommandContext
    from reconciler.secrets.check import SecretsCheck


@click.group("secrets")
def command() -> None:
    """Check the references to secrets."""


@command.command("check")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option("--target", "targets", metavar="ADDRESS", multiple=True, type=ADDRESS,
              help="Only these connections; globs such as 'acme/*'; may be repeated.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True,
              help="The format of the result.")  # fmt: skip
@variable_option()
@click.pass_obj
def check(
    context: CommandContext,
    /,
    paths: tuple[str, ...],
    *,
    targets: tuple[str, ...],
    format_: str,
    variables: Mapping[str, str],
) -> int:
    """Resolve every reference to a secret; send no request to the API, and show no value.

    Names each secret that is missing, and the connections that need it. Exits with 1 if one is
    missing or a manifest has errors.
    """
    project = wiring.project_of(context.config)
    loaded = load_manifests(paths, project, variables)
    connections = loaded.state.connections
    for target in targets:
        if not any(declared.address.matches(target) for declared in connections):
            raise UsageError(f"no declared connection matches {target!r}; addresses look like acme/okta")
    checked = check_secrets(
        [
            declared
            for declared in connections
            if not targets or any(declared.address.matches(target) for target in targets)
        ],
        policy=project.secret_policy,
        environment=os.environ,
    )
    errors = tuple(finding for finding in loaded.diagnostics if finding.is_error)
    if errors:
        context.console.error(render_diagnostics(errors, style=context.console.stderr_style))
    click.echo(secrets_check_json(checked) if format_ == "json" else _text(checked), nl=False)
    return exit_code(failed=bool(checked.missing or errors))


def _text(checked: SecretsCheck) -> str:
    lines = []
    for missing in checked.missing:
        lines.append(f"{missing.reference}: {missing.reason}")
        lines += [f"  {address} ({location})" for address, location in missing.needed_by]
    total = count(checked.references, "secret reference")
    verdict = f"{len(checked.missing)} of {total} cannot be resolved." if lines else f"{total} resolved."
    return "".join(f"{escape_terminal(line)}\n" for line in (*lines, verdict))
