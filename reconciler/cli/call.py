"""One call of the command: its words, and where its result goes once those have been understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.cli.commands import VERBS
from reconciler.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class OutputFile(NamedTuple):
    """A file that the result is written to, and in which format."""

    path: Path
    format: str


@dataclass(slots=True, eq=False, repr=False)
class Call:
    """What is known of this call; as long as it is not parsed, only what its words let guess.

    ``config`` is the project file that was named. ``outputs`` are the files for the result.
    """

    words: Sequence[str]
    console: Console
    format: str = "text"
    config: str | None = None
    outputs: tuple[OutputFile, ...] = ()

    @classmethod
    def of(cls, words: Sequence[str]) -> Call:
        """Return what the words alone say, since the call itself may not be parsable."""
        console = Console(color=_word_of("--color", words) or "auto")
        return cls(words, console, format=_word_of("--format", words) or "text")

    @property
    def verb(self) -> str:
        """The verb that is called, or nothing if there is none among the words."""
        return next((word for word in self.words if word in VERBS), "")

    def understand(self, options: dict[str, Any]) -> Console:
        """Take over what the options that all reporting verbs share have been found to say."""
        self.console = Console(
            color=options["color"],
            quiet=options["quiet"],
            verbosity=options["verbose"],
            log_format=options["log_format"],
        )
        self.format = options["format_"]
        self.outputs = tuple(OutputFile(path, format_ or self.format) for path, format_ in options["outputs"])
        return self.console


def _word_of(option: str, words: Sequence[str]) -> str | None:
    """Return the last value that the option has among the words."""
    value = None
    for index, word in enumerate(words):
        if word.startswith(f"{option}="):
            value = word.partition("=")[2]
        if word == option and index + 1 < len(words):
            value = words[index + 1]
    return value
