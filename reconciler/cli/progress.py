"""Shows progress: a bar on a terminal, otherwise a line every ten seconds; records what an apply has done."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, TextColumn

from reconciler.cli.console import is_dumb
from reconciler.reports.text_progress import render_counted, render_finished, render_running, render_started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping
    from contextlib import AbstractContextManager

    from reconciler.cli.console import Console
    from reconciler.core.address import Address
    from reconciler.core.change import Change
    from reconciler.core.outcome import Outcome
    from reconciler.reports.text_style import Style

SECONDS_BETWEEN_LINES: Final = 10.0
_SECONDS_BETWEEN_UPDATES: Final = 0.1
_ECHO: Final = 6
"""Columns that are free behind a bar: the ^C of a terminal must not break its line in two."""
_MIN_TOTAL: Final = 20
"""Fewer items are done before a bar could be seen."""


def reading_progress(console: Console, total: int = 0) -> AbstractContextManager[ProgressLines]:
    """Return what shows how many organizations were read; a ``total`` of 0 is unknown."""
    return _progress(console, "Reading organizations", total)


def asking_progress(console: Console, total: int) -> AbstractContextManager[ProgressLines]:
    """Return what shows for how many connections the identity providers were asked."""
    return _progress(console, "Asking identity providers", total)


def applying_progress(console: Console, total: int) -> AbstractContextManager[ProgressLines]:
    """Return what shows how many changes were applied."""
    return _progress(console, "Applying changes", total)


@contextmanager
def _progress(console: Console, description: str, total: int) -> Iterator[ProgressLines]:
    if not _can_draw(console):
        yield ProgressLines(console, description, total)
        return
    bar = ProgressBar(console, description, total)
    try:
        yield bar
    finally:
        bar.close()


def _can_draw(console: Console) -> bool:
    """Return whether a bar can be drawn: on a terminal that is not busy with log lines."""
    logs = console.verbosity or console.log_format == "json"
    return sys.stderr.isatty() and not is_dumb() and not console.quiet and not logs


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
            counts = render_counted(done, self.total, now - self.started_at)
            self.console.info(f"{self.description}... {counts}")


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
        counts = render_counted(done, self.total, now - self.started_at)
        values: dict[str, Any] = {"completed": done, "total": max(self.total, done), "counts": counts}
        if self.bar is None:
            self.bar = _create_bar(self.console.stderr_style)
            self.bar.add_task(self.description, **values)
            self.bar.start()
        else:
            self.bar.update(*self.bar.task_ids, **values)

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.stop()


def _create_bar(style: Style) -> Progress:
    """Return a bar; once it is started, rich prints above it what is written to standard error."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[counts]}", markup=False),
    )
    color_system: Literal["standard"] | None = "standard" if style.color else None
    width = max(style.columns - _ECHO, _ECHO) if style.columns else None
    screen = RichConsole(stderr=True, soft_wrap=True, color_system=color_system, width=width)
    return Progress(*columns, console=screen, transient=True, redirect_stdout=False)


class ApplyProgress:
    """Prints a line when an operation begins, every ten seconds while it runs, and when it ends."""

    def __init__(self, console: Console, progress: ProgressLines) -> None:
        self._console = console
        self._progress = progress
        self._running: dict[Address, tuple[Change, float]] = {}
        self._outcomes: dict[Address, Outcome] = {}

    @property
    def outcomes(self) -> Mapping[Address, Outcome]:
        """The operations that have ended."""
        return self._outcomes

    @property
    def running(self) -> Collection[Address]:
        """The operations that have begun and not ended."""
        return self._running.keys()

    def started(self, change: Change) -> None:
        """Print that the operation begins."""
        self._running[change.address] = change, monotonic()
        self._console.info(render_started(change, style=self._console.stderr_style))

    def finished(self, outcome: Outcome) -> None:
        """Print how the operation ended."""
        self._running.pop(outcome.address, None)
        self._outcomes[outcome.address] = outcome
        self._console.info(render_finished(outcome, style=self._console.stderr_style))
        self._progress.advanced(len(self._outcomes))

    @asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """Print periodically which operations are still running."""
        task = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LINES)
            for change, started_at in tuple(self._running.values()):
                line = render_running(change, monotonic() - started_at, style=self._console.stderr_style)
                self._console.info(line)
