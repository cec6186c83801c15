"""Shows progress: a bar on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TextColumn

from reconciler.reports.text_progress import render_counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.cli.console import Console

SECONDS_BETWEEN_LINES: Final = 10.0
_SECONDS_BETWEEN_UPDATES: Final = 0.1
_MIN_TOTAL: Final = 20
"""Fewer items are done before a bar could be seen."""


@contextmanager
def reading_progress(console: Console, total: int = 0) -> Iterator[ProgressLines]:
    """Yield what shows how many organizations were read; a ``total`` of 0 is unknown."""
    with _progress(console, "Reading organizations", total) as progress:
        yield progress


@contextmanager
def applying_progress(console: Console, total: int) -> Iterator[ProgressLines]:
    """Yield what shows how many changes were applied."""
    with _progress(console, "Applying changes", total) as progress:
        yield progress


@contextmanager
def _progress(console: Console, description: str, total: int) -> Iterator[ProgressLines]:
    if console.quiet or console.verbosity or not sys.stderr.isatty():
        yield ProgressLines(console, description, total)
        return
    bar = ProgressBar(console, description, total)
    try:
        yield bar
    finally:
        bar.close()


@dataclass(slots=True)
class ProgressLines:
    """Prints a line every ten seconds."""

    console: Console
    description: str
    total: int
    started_at: float = field(default_factory=monotonic)
    updated_at: float = field(default_factory=monotonic)

    def advanced(self, done: int) -> None:
        """Show that ``done`` items are done so far."""
        now = monotonic()
        if now - self.updated_at >= SECONDS_BETWEEN_LINES:
            self.updated_at = now
            self.console.info(f"{self.description}... {self._counts(done, now)}")

    def _counts(self, done: int, now: float) -> str:
        return render_counted(done, self.total, now - self.started_at)


@dataclass(slots=True)
class ProgressBar(ProgressLines):
    """Draws a bar below everything else that is printed, and removes it at the end."""

    bar: Progress | None = None

    def advanced(self, done: int) -> None:
        """Show that ``done`` items are done so far."""
        now = monotonic()
        if max(done, self.total) < _MIN_TOTAL or (
            self.bar and now - self.updated_at < _SECONDS_BETWEEN_UPDATES
        ):
            return
        self.updated_at = now
        if self.bar is None:
            self.bar = _start_bar(self.description)
        (task,) = self.bar.task_ids
        counts = self._counts(done, now)
        self.bar.update(task, completed=done, total=max(self.total, done), counts=counts)

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.stop()


def _start_bar(description: str) -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
    )
    bar = Progress(*columns, console=RichConsole(stderr=True, markup=False), transient=True)
    bar.start()
    bar.add_task(description, total=None, counts="")
    return bar
