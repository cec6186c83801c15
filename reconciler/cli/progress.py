"""How far the work has come: a bar on a terminal, a line now and then without one."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from reconciler.cli.console import Console

_SECONDS_BETWEEN_LINES: Final = 10.0
_WORTH_A_BAR: Final = 20
"""Fewer organizations than this are read before anybody could look at a bar."""


@contextmanager
def reading_progress(console: Console) -> Iterator[Lines]:
    """Yield what is to be told how many organizations have been read."""
    if console.quiet or not sys.stderr.isatty():
        yield Lines(console, monotonic())
        return
    bar = Bar(console, monotonic())
    try:
        yield bar
    finally:
        bar.close()


@dataclass(slots=True)
class Lines:
    """Prints a line every ten seconds."""

    console: Console
    last: float

    def advanced(self, done: int) -> None:
        """Take note that ``done`` organizations have been planned so far."""
        if monotonic() - self.last >= _SECONDS_BETWEEN_LINES:
            self.last = monotonic()
            self.console.remark(f"Reading... {done} organizations")


@dataclass(slots=True)
class Bar(Lines):
    """Draws a bar that goes away when the work is done."""

    progress: Progress | None = None

    def advanced(self, done: int) -> None:
        """Take note that ``done`` organizations have been planned so far."""
        if done < _WORTH_A_BAR:
            return
        if self.progress is None:
            self.progress = _begin()
        self.progress.update(self.progress.task_ids[0], completed=done)

    def close(self) -> None:
        """Take the bar away."""
        if self.progress is not None:
            self.progress.stop()


def _begin() -> Progress:
    from rich.console import Console as RichConsole
    from rich.progress import Progress

    progress = Progress(console=RichConsole(stderr=True, markup=False), transient=True)
    progress.start()
    progress.add_task("Reading organizations", total=None)
    return progress
