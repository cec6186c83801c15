"""``reconciler secrets``: check the references to secrets, and write age files."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli import wiring
from reconciler.cli.context import ExitCode, exit_code
from reconciler.cli.options import ADDRESS, FILE, reporting_options, variable_option
from reconciler.cli.results import check_outputs, write_result
from reconciler.core.errors import UsageError, count
from reconciler.core.secret import Secret
from reconciler.manifests import load_manifests
from reconciler.reports import SECRETS_FORMATS
from reconciler.reports.escaping import escape_terminal
from reconciler.secrets.check import check_secrets
from reconciler.secrets.file import MAX_BYTES, text_of
from reconciler.workflow.age_files import (
    DEFAULT_GLOB,
    age_files,
    encrypt_again,
    locks_out,
    place_of,
    put_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.cli.context import CommandContext
    from reconciler.core.state import DesiredConnection
    from reconciler.manifests import Project
    from reconciler.workflow.age_files import SecretPlace


@click.group("secrets")
def command() -> None:
    """Check references to secrets, and manage secrets in age files."""


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


@command.command("encrypt")
@click.argument("address", type=ADDRESS)
@variable_option()
@click.pass_obj
def encrypt(context: CommandContext, /, address: str, *, variables: Mapping[str, str]) -> int:
    """Encrypt a connection's client secret into an age file, for the recipients in the project file.

    The secret is asked for on a terminal, and otherwise read from standard input, without one newline at
    its end. The file and key are those that the manifest refers to (${age:FILE#KEY}), or else
    secrets/ORGANIZATION.age and the name of the connection. Other keys of the file stay; to add to an
    existing file, the identity is needed.

    Needs the extra: pip install 'oidc-reconciler[age]'
    """
    project = wiring.project_of(context.config)
    access = project.secret_access(os.environ)
    place = place_of(address, project, variables)
    secret = _read_secret(context, address)
    put_secrets({place.locator: secret}, project, access)
    number = count(len(project.age.recipients), "recipient")
    click.echo(escape_terminal(f"The secret of {address} is in {place.file}, encrypted for {number}."))
    for line in _what_is_left(place):
        click.echo(escape_terminal(line))
    _warn_if_locked_out(context, project)
    return ExitCode.SUCCESS


@command.command("rekey")
@click.argument("files", nargs=-1, type=FILE, metavar="[FILE]...")
@click.option("--renamed", is_flag=True, help="The FILEs were renamed since they were encrypted.")
@variable_option()
@click.pass_obj
def rekey(
    context: CommandContext, /, files: tuple[str, ...], *, renamed: bool, variables: Mapping[str, str]
) -> int:
    """Encrypt age files again, for the current recipients in the project file.

    FILEs are relative to the project file; by default, all that the manifests refer to. Needs the
    identity. If one of the files cannot be decrypted, none is written. Who could read a file before can
    still read its past versions in Git: rotate the secrets if a recipient is no longer trusted.

    Needs the extra: pip install 'oidc-reconciler[age]'
    """
    project = wiring.project_of(context.config)
    if renamed and not files:
        raise UsageError("--renamed needs FILE: name the renamed files")
    chosen = files or age_files(project, variables)
    encrypt_again(chosen, project, project.secret_access(os.environ), are_renamed=renamed)
    number = count(len(project.age.recipients), "recipient")
    click.echo(f"{count(len(chosen), 'file')} encrypted for {number}.")
    _warn_if_locked_out(context, project)
    return ExitCode.SUCCESS


def _read_secret(context: CommandContext, address: str) -> Secret:
    """Return a secret from the terminal, without echo, or from standard input.

    Raises:
        UsageError: it is empty, not text, or too long.
    """
    if context.console.is_interactive:
        question = f"Client secret of {escape_terminal(address)}"
        text = click.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        content = str(text).encode("utf-8", "surrogateescape")
    else:
        content = sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin else b""
    return Secret(text_of(content, "standard input"))


def _what_is_left(place: SecretPlace) -> Iterator[str]:
    """Yield the lines to be added before a plan can use the secret."""
    if not place.is_declared:
        yield "Add to the connection in its manifest:"
        yield f"    client_secret: {place.locator}"
    if place.refusal:
        yield "Add to the project file:"
        yield f'    secrets: {{age: {{allow: ["{DEFAULT_GLOB}"]}}}}'


def _warn_if_locked_out(context: CommandContext, project: Project) -> None:
    if locks_out(project, project.secret_access(os.environ)):
        context.console.error(
            "Warning: the identity is not among `secrets.age.recipients` and cannot decrypt what is "
            "encrypted now"
        )


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
