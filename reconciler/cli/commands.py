"""All verbs: what the help says of each, and the module that is imported only when it is called."""

from __future__ import annotations

from importlib import import_module
from keyword import iskeyword
from typing import Final

import click

VERBS: Final = {
    "init": "Write a commented starter project.",
    "validate": "Check manifests offline: every finding at once.",
    "plan": "Show what apply would do; write nothing.",
    "apply": "Make what is live what the manifests declare.",
    "drift": "Tell whether live is still what the manifests declare.",
    "import": "Write manifests for what is live.",
    "pin": "Write the ids of what is live into the manifests.",
    "show": "Show a saved plan.",
    "publish": "Show a plan or drift report on a pull request.",
    "schema": "Print the JSON Schema of manifests, project file, plan or drift report.",
    "emulator": "Run a local server that behaves like the API.",
    "demo": "See the whole story on the emulator, in one go.",
}


class LazyGroup(click.Group):
    """Knows every verb's name and summary without importing what the verb needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order in which a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Import one verb's module and return its command; None where there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = import_module(f"reconciler.cli.{module}").command
        assert isinstance(command, click.Command)
        command.short_help = VERBS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """List the verbs from the table, so that ``--help`` stays quick."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))
