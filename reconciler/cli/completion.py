"""``reconciler completion``: print the script that completes commands in a shell."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from reconciler.cli.commands import COMPLETION_VARIABLE

SHELLS: Final = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@click.pass_context
def command(context: click.Context, /, shell: str) -> None:
    """Print the script that lets SHELL (bash, zsh or fish) complete commands, options and addresses.

    Addresses come from the manifests; no request is sent. Evaluate the script in the start-up file of
    the shell: `eval "$(reconciler completion bash)"`, the same with zsh, and in fish
    `reconciler completion fish | source`.
    """
    script = _CLASSES[shell](context.find_root().command, {}, "reconciler", COMPLETION_VARIABLE)
    click.echo(script.source())


class _WholeWord(ShellComplete):
    """Completes ``--option=value`` in shells that replace the whole word."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Return the values of the option, with the option before each."""
        option, sign, value = incomplete.partition("=")
        if not (sign and option.startswith("--")):
            return super().get_completions(args, incomplete)
        items = super().get_completions([*args, option], value)
        return [CompletionItem(f"{option}={item.value}") for item in items if item.type == "plain"]


class _Zsh(_WholeWord, ZshComplete):
    """Completion in zsh."""


class _Fish(_WholeWord, FishComplete):
    """Completion in fish."""


class _Bash(BashComplete):
    """Completion in bash, to which ``=`` is a word of its own."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the incomplete one, and that."""
        words, incomplete = super().get_completion_args()
        return [word for word in words if word != "="], incomplete


_CLASSES: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def register_shells() -> None:
    """Let click answer the scripts with these classes."""
    for name, shell in _CLASSES.items():
        add_completion_class(shell, name)
