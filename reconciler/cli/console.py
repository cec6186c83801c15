"""The two streams: results on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

import click


class Console(NamedTuple):
    """Where this run prints, and how. ``color``: always, never or auto; ``verbosity``: 0, 1, 2."""

    color: str = "auto"
    quiet: bool = False
    verbosity: int = 0
    log_format: str = "text"

    def result(self, text: str) -> None:
        """Print the result."""
        click.echo(text.rstrip("\n"), color=True)

    def remark(self, text: str) -> None:
        """Print anything that is not the result, unless it is to be quiet."""
        if not self.quiet:
            self.urgent(text)

    def urgent(self, text: str) -> None:
        """Print what must be said even then."""
        click.echo(text.rstrip("\n"), err=True, color=True)

    @property
    def colors_result(self) -> bool:
        """Whether standard output is to be coloured."""
        return _colors(self.color, is_terminal=sys.stdout.isatty())

    @property
    def colors_remarks(self) -> bool:
        """Whether standard error is to be coloured."""
        return _colors(self.color, is_terminal=sys.stderr.isatty())

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked."""
        return sys.stdin is not None and sys.stdin.isatty()

    def ask(self, question: str) -> str:
        """Ask on standard error and return the answer; the end of input is no answer.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        click.echo(question, err=True, nl=False)
        return sys.stdin.readline().strip()


def _colors(choice: str, *, is_terminal: bool) -> bool:
    if choice != "auto":
        return choice == "always"
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
