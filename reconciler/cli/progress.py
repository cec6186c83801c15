"""How far the work has come: a bar on a terminal, a line now and then without one."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from reconciler.reports.counted_text import render_counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

    from reconciler.cli.console import Console

SECONDS_BETWEEN_LINES: Final = 10.0
_SECONDS_BETWEEN_LOOKS: Final = 0.1
_WORTH_A_BAR: Final = 20
"""Fewer things than this are done before anybody could look at a bar."""


def _unknown() -> int:
    return 0


@contextmanager
def reading_progress(console: Console, expected: Callable[[], int] = _unknown) -> Iterator[Lines]:
    """Yield what is to be told how many organizations have been read.

    ``expected`` says how many there are, as far as that is known by now; 0 where nobody knows.
    """
    with _progress(console, "Reading", "organizations", expected) as progress:
        yield progress


@contextmanager
def applying_progress(console: Console, total: int) -> Iterator[Lines]:
    """Yield what is to be told how many of all changes have ended."""
    with _progress(console, "Applying", "changes", lambda: total) as progress:
        yield progress


@contextmanager
def _progress(console: Console, verb: str, noun: str, expected: Callable[[], int]) -> Iterator[Lines]:
    if console.quiet or console.verbosity or not sys.stderr.isatty():
        yield Lines(console, verb, noun, expected)
        return
    bar = Bar(console, verb, noun, expected)
    try:
        yield bar
    finally:
        bar.close()


@dataclass(slots=True)
class Lines:
    """Prints a line every ten seconds."""

    console: Console
    verb: str
    noun: str
    expected: Callable[[], int]
    began: float = field(default_factory=monotonic)
    last: float = field(default_factory=monotonic)

    def advanced(self, done: int) -> None:
        """Take note that so many have been done so far."""
        now = monotonic()
        if now - self.last >= SECONDS_BETWEEN_LINES:
            self.last = now
            self.console.info(f"{self.verb} {self.noun}... {self._counted(done, now)}")

    def _counted(self, done: int, now: float) -> str:
        return render_counted(done, self.expected(), now - self.began)


@dataclass(slots=True)
class Bar(Lines):
    """Draws a bar that goes away when the work is done; what is printed meanwhile appears above it."""

    progress: Progress | None = None

    def advanced(self, done: int) -> None:
        """Take note that so many have been done so far."""
        now = monotonic()
        total = self.expected()
        if max(done, total) < _WORTH_A_BAR or (self.progress and now - self.last < _SECONDS_BETWEEN_LOOKS):
            return
        self.last = now
        if self.progress is None:
            self.progress = _begin(f"{self.verb} {self.noun}")
        (task,) = self.progress.task_ids
        counted = self._counted(done, now)
        self.progress.update(task, completed=done, total=max(total, done) or None, counted=counted)

    def close(self) -> None:
        """Take the bar away."""
        if self.progress is not None:
            self.progress.stop()


def _begin(words: str) -> Progress:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[counted]}", markup=False),
    )
    progress = Progress(*columns, console=RichConsole(stderr=True, markup=False), transient=True)
    progress.start()
    progress.add_task(words, total=None, counted="")
    return progress
