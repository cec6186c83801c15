"""Prints the progress of an apply, and records its outcomes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from reconciler.reports.text_progress import render_finished, render_running, render_started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from reconciler.cli.console import Console
    from reconciler.cli.progress import ProgressLines
    from reconciler.core.address import Address
    from reconciler.core.change import Change
    from reconciler.core.outcome import Outcome

SECONDS_BETWEEN_LINES: Final = 10.0


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
        self._console.info(render_started(change, color=self._console.colors_stderr))

    def finished(self, outcome: Outcome) -> None:
        """Print how the operation ended."""
        self._running.pop(outcome.address, None)
        self._outcomes[outcome.address] = outcome
        self._console.info(render_finished(outcome, color=self._console.colors_stderr))
        self._progress.advanced(len(self._outcomes))

    @asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """Print periodically which operations are still running."""
        task = asyncio.create_task(self._tick(SECONDS_BETWEEN_LINES))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            for change, started_at in tuple(self._running.values()):
                line = render_running(change, monotonic() - started_at, color=self._console.colors_stderr)
                self._console.info(line)
