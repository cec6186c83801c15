"""Hints for usage errors: what was misspelt, and what stands for a command or an option of Terraform."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import NoSuchCommand, NoSuchOption

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DELETE: Final = "to delete a connection, write `state: absent` into its block, and apply"
_NO_STATE: Final = "there is no state: each run reads the live connections"
_DRIFT: Final = f"{_NO_STATE}; `reconciler drift` reports what differs"
_LIST: Final = f"{_NO_STATE}; `reconciler list` shows them"
_ROTATE: Final = "connections are never replaced; `reconciler apply --rotate ADDRESS` sends a secret again"
_ENVIRONMENTS: Final = (
    "write a project file for each environment, and name it: `reconciler --config live.yaml plan`"
)
_CREDENTIALS: Final = "set the environment variables STYTCH_PROJECT_ID and STYTCH_SECRET"
_NO_LOCK: Final = "there is no state, and so no lock"

_SEVERAL: Final = re.compile(r"-[a-z][a-z-]+")
"""A long option with one hyphen, or several options of one letter."""

_COMMANDS: Final = {
    "fmt": "manifests keep the layout that you give them; `reconciler validate` checks them",
    "state": _LIST,
    "status": _LIST,
    "refresh": _DRIFT,
    "diff": "`reconciler plan` shows what differs",
    "destroy": _DELETE,
    "delete": _DELETE,
    "taint": _ROTATE,
    "untaint": _ROTATE,
    "workspace": _ENVIRONMENTS,
    "env": _ENVIRONMENTS,
    "login": _CREDENTIALS,
    "logout": _CREDENTIALS,
    "force-unlock": _NO_LOCK,
    "get": "there are no modules to install",
    "providers": "there are no providers to install",
    "lint": "`reconciler validate` checks manifests",
    "check": "`reconciler validate` checks manifests",
    "version": "`reconciler --version` prints it",
    "help": "`reconciler COMMAND --help` describes a command",
}
"""Commands that exist elsewhere, and what stands for them here."""

_OPTIONS: Final = {
    "refresh": _DRIFT,
    "refresh-only": _DRIFT,
    "destroy": _DELETE,
    "replace": _ROTATE,
    "state": _NO_STATE,
    "lock": _NO_LOCK,
    "lock-timeout": _NO_LOCK,
    "input": "only apply asks, and not with `--auto-approve`",
    "json": "write `--format json`",
    "no-color": "write `--color never`",
    "chdir": "write `-C DIR` before the command",
    "var-file": "set variables under `vars` in the project file, or with `--var NAME=VALUE`",
    "parallelism": "set `limits.concurrency` in the project file",
    "upgrade": "there are no providers to install",
    "backend-config": _NO_STATE,
    "reconfigure": _NO_STATE,
}
"""Options that exist elsewhere, and what stands for them here."""


def describe_usage_error(error: click.ClickException, arguments: Sequence[str]) -> tuple[str, str]:
    """Return the summary of an error of the command line, and a hint if there is one."""
    if isinstance(error, NoSuchCommand):
        return f"unknown command {error.command_name!r}", _command_hint(error)
    if isinstance(error, NoSuchOption):
        written = _written_option(error, arguments)
        return f"unknown option {written!r}", _option_hint(error, written)
    return " ".join(error.format_message().split()), ""


def help_command(error: click.ClickException, verb: str) -> str:
    """Return the command that shows the help of the command in which the error is."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else f"reconciler {verb}".rstrip()
    return f"{path} --help"


def _command_hint(error: NoSuchCommand) -> str:
    assert error.ctx is not None
    group = error.ctx.command
    assert isinstance(group, click.Group)
    is_top = error.ctx.parent is None
    known = _COMMANDS.get(error.command_name, "") if is_top else ""
    return known or _did_you_mean(
        error.command_name, group.list_commands(error.ctx), error.ctx.command_path + " "
    )


def _written_option(error: NoSuchOption, arguments: Sequence[str]) -> str:
    """Return the option as it was written, without its value: click takes ``-out`` for three options."""
    if error.option_name.startswith("--"):
        return error.option_name
    letter = error.option_name[1:]
    names = (argument.partition("=")[0] for argument in arguments)
    return next((name for name in names if _SEVERAL.fullmatch(name) and letter in name), error.option_name)


def _option_hint(error: NoSuchOption, written: str) -> str:
    name = written.lstrip("-")
    options = [] if error.ctx is None else _long_options(error.ctx.command)
    if f"--{name}" in options:
        return f"long options begin with two hyphens: `--{name}`"
    return _OPTIONS.get(name, "") or _did_you_mean(f"--{name}", options)


def _long_options(command: click.Command) -> list[str]:
    return [name for option in command.params for name in option.opts if name.startswith("--")]


def _did_you_mean(name: str, names: Iterable[str], before: str = "") -> str:
    close = [f"`{before}{match}`" for match in get_close_matches(name, list(names), n=2)]
    return f"did you mean {' or '.join(close)}?" if close else ""
