"""What is told, and remembered, while an apply runs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from reconciler.core.outcome import ApplyResult, Failed, Skipped
from reconciler.reports.progress_text import render_finished, render_running, render_started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from reconciler.cli.console import Console
    from reconciler.cli.progress import Lines
    from reconciler.core.address import Address
    from reconciler.core.change import Change
    from reconciler.core.outcome import Outcome

SECONDS_BETWEEN_LINES: Final = 10.0


class Watch:
    """Prints a line when an operation begins, every ten seconds while it goes on, and when it ends."""

    def __init__(self, console: Console, progress: Lines) -> None:
        self._console = console
        self._progress = progress
        self._running: dict[Address, tuple[Change, float]] = {}
        self._outcomes: dict[Address, Outcome] = {}

    def started(self, change: Change) -> None:
        """Take note that the operation begins now."""
        self._running[change.address] = change, monotonic()
        self._console.info(render_started(change, color=self._console.colors_stderr))

    def finished(self, outcome: Outcome) -> None:
        """Take note of what became of it."""
        self._running.pop(outcome.address, None)
        self._outcomes[outcome.address] = outcome
        self._console.info(render_finished(outcome, color=self._console.colors_stderr))
        self._progress.advanced(len(self._outcomes))

    @asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """Tell now and then what is still going on."""
        task = asyncio.create_task(self._tick(SECONDS_BETWEEN_LINES))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def cut_short(self, changes: Sequence[Change]) -> ApplyResult:
        """Return what is known of a run that was stopped at once, in the middle of its operations."""
        outcomes = tuple(self._outcomes.get(one.address) or self._unfinished(one) for one in changes)
        return ApplyResult(outcomes, interrupted=True)

    def _unfinished(self, change: Change) -> Outcome:
        if change.address not in self._running:
            return Skipped(
                address=change.address,
                action=change.action,
                organization_id=change.organization_id,
                reason="interrupted",
            )
        return Failed(
            address=change.address,
            action=change.action,
            organization_id=change.organization_id,
            message="stopped while it was being carried out, so nobody can say how far it came",
            advice="plan again: what was begun is found, and continued instead of doubled",
            error_type="interrupted",
        )

    async def _tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            for change, begun in tuple(self._running.values()):
                line = render_running(change, monotonic() - begun, color=self._console.colors_stderr)
                self._console.info(line)
