"""One invocation of the command: its arguments, console, output files and exit code."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.cli.commands import VERBS
from reconciler.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.http.clock import Clock


class ExitCode(IntEnum):
    """Exit codes; 2 only ever means that there are changes, so a usage error is 1 like any other error."""

    SUCCESS = 0
    ERROR = 1
    CHANGES = 2
    INTERRUPTED = 130


def exit_code(*, failed: bool = False, changes: bool = False, interrupted: bool = False) -> ExitCode:
    """Return the exit code of a result; an interruption, then errors take precedence."""
    if interrupted:
        return ExitCode.INTERRUPTED
    if failed:
        return ExitCode.ERROR
    return ExitCode.CHANGES if changes else ExitCode.SUCCESS


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class CommandContext:
    """The invocation: first as guessed from its arguments, then as parsed.

    The guess lets a usage error be reported in the format and color that were asked for. ``config`` is
    the project file given with ``--config``; ``outputs`` are files and their formats. ``kept`` is an
    earlier report that is compared with, which only a new report replaces; ``saved`` is one more file for
    the JSON document, as ``plan --out`` wants it. ``clock`` is that of the calls
    of the API; None stands for the real one.
    """

    arguments: Sequence[str]
    console: Console
    format: str = "text"
    config: str | None = None
    outputs: tuple[tuple[Path, str], ...] = ()
    kept: Path | None = None
    saved: Path | None = None
    clock: Clock | None = None

    @classmethod
    def from_arguments(cls, arguments: Sequence[str], clock: Clock | None = None) -> CommandContext:
        """Return the context of an invocation that is not parsed yet."""
        return cls(
            arguments=arguments,
            clock=clock,
            console=Console(color=_last_value("--color", arguments) or "auto"),
            format=_last_value("--format", arguments) or "text",
        )

    @property
    def verb(self) -> str:
        """The verb among the arguments; empty if there is none."""
        return next((argument for argument in self.arguments if argument in VERBS), "")

    @property
    def replaceable_outputs(self) -> tuple[tuple[Path, str], ...]:
        """The files that a run without a result may replace."""
        outputs = (*self.outputs, (self.saved, "json")) if self.saved else self.outputs
        kept = os.path.realpath(self.kept) if self.kept else None
        return tuple((path, format_) for path, format_ in outputs if os.path.realpath(path) != kept)

    def configure(self, options: dict[str, Any]) -> None:
        """Apply the parsed values of the options that every reporting verb has."""
        self.console = Console(
            color=options["color"],
            quiet=options["quiet"],
            verbosity=options["verbose"],
            log_format=options["log_format"],
        )
        self.format = options["format_"]
        self.outputs = tuple((Path(path), format_ or self.format) for path, format_ in options["outputs"])


def _last_value(option: str, arguments: Sequence[str]) -> str | None:
    value = None
    for index, argument in enumerate(arguments):
        if argument.startswith(f"{option}="):
            value = argument.partition("=")[2]
        if argument == option and index + 1 < len(arguments):
            value = arguments[index + 1]
    return value
