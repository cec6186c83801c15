"""The table of commands, and the click group that imports a command's module when it is called."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import Final

import click
from click.shell_completion import CompletionItem

VERBS: Final = {
    "init": "Write a commented starter project.",
    "validate": "Check manifests offline and report every error.",
    "plan": "Show what apply would change; write nothing.",
    "apply": "Create, update and delete connections to match the manifests.",
    "drift": "Report differences between live connections and manifests.",
    "verify": "Check with identity providers whether logins would work.",
    "list": "List connections, with their status, IDs and redirect URLs.",
    "output": "Print the values of one connection, for scripts.",
    "import": "Write manifests for live connections.",
    "pin": "Add the ids of live organizations and connections to the manifests.",
    "show": "Show a saved plan.",
    "secrets": "Check references to secrets, and manage secrets in age files.",
    "publish": "Publish a plan or drift report on a pull request.",
    "explain": "Say what the code of a finding means and what to do.",
    "completion": "Print the completion script of a shell.",
    "schema": "Print the JSON Schema of manifests, project file, plan or drift report.",
    "emulator": "Run a local server that behaves like the API.",
    "demo": "Try plan, apply and drift repair on the emulator.",
}

COMPLETION_VARIABLE: Final = "_RECONCILER_COMPLETE"
"""Set by the completion scripts; click then prints completions instead of running a command."""

_TAKEN: Final = frozenset({"list", "output"})
"""Verbs whose modules have an underscore, because Python or another module has the name."""


class LazyGroup(click.Group):
    """Lists the verbs from the table, so that ``--help`` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order in which a new user needs them."""
        return list(VERBS)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete verbs and options without importing a verb."""
        verbs = [
            CompletionItem(verb, help=words) for verb, words in VERBS.items() if verb.startswith(incomplete)
        ]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Import a verb's module and return its command; None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) or cmd_name in _TAKEN else cmd_name
        command = import_module(f"reconciler.cli.{module}").command
        assert isinstance(command, click.Command)
        command.short_help = VERBS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))
