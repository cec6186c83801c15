"""``reconciler secrets``: check the references to secrets."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.options import ADDRESS, FILE, reporting_options, variable_option
from reconciler.cli.results import check_outputs, write_result
from reconciler.core.errors import UsageError
from reconciler.manifests import load_manifests
from reconciler.reports import SECRETS_FORMATS
from reconciler.secrets.check import check_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.cli.context import CommandContext
    from reconciler.core.state import DesiredConnection


@click.group("secrets")
def command() -> None:
    """Check the references to secrets."""


@command.command("check")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option("--target", "targets", metavar="ADDRESS", multiple=True, type=ADDRESS,
              help="Only these connections; globs such as 'acme/*'; may be repeated.")  # fmt: skip
@variable_option()
@reporting_options("text", "json", "markdown")
@click.pass_obj
def check(
    context: CommandContext,
    /,
    paths: tuple[str, ...],
    *,
    targets: tuple[str, ...],
    variables: Mapping[str, str],
    **options: object,
) -> int:
    """Resolve every reference to a secret; send no request to the API, and show no value.

    Names each secret that is missing, and the connections that need it. Exits with 1 if one is
    missing or a manifest has errors.
    """
    context.configure(options)
    check_outputs(context)
    project = wiring.project_of(context.config)
    loaded = load_manifests(paths, project, variables)
    connections = _targeted(loaded.state.connections, targets)
    checked = check_secrets(connections, project.secret_access(os.environ))
    errors = tuple(finding for finding in loaded.diagnostics if finding.is_error)
    checked = replace(checked, diagnostics=errors)
    written = write_result(checked, SECRETS_FORMATS, context)
    return exit_code(failed=not (checked.is_complete and written))


def _targeted(
    connections: Iterable[DesiredConnection], targets: Sequence[str]
) -> Iterable[DesiredConnection]:
    """Return the connections that the targets select: all if there are none.

    Raises:
        UsageError: a target matches nothing.
    """
    connections = tuple(connections)
    for target in targets:
        if not any(declared.address.matches(target) for declared in connections):
            raise UsageError(f"no declared connection matches {target!r}; addresses look like acme/okta")
    if not targets:
        return connections
    return [
        declared for declared in connections if any(declared.address.matches(target) for target in targets)
    ]
