"""Carrying out a plan from the command line: where it comes from, who watches, how it ends."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from reconciler.cli import wiring
from reconciler.cli.delivery import deliver
from reconciler.cli.exit_code import ExitCode
from reconciler.cli.planning import Planned, plan_live
from reconciler.core.outcome import ApplyResult
from reconciler.providers.stytch.connect import connect
from reconciler.reports import PLAN_FORMATS, RESULT_FORMATS, render_finished, render_started
from reconciler.storage.plan_file import load_plan
from reconciler.workflow.apply import accept_deletes, apply_plan, check_saved_plan, secrets_wanted_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.core.change import Change
    from reconciler.core.outcome import Outcome


def load_saved(config: str | None, path: Path, options: Mapping[str, Any]) -> Planned:
    """Read a saved plan and make sure that it may be applied here and now.

    Raises:
        PlanRefused: it is changed, foreign, expired, or of another version.
        InvalidConfiguration: a secret that it needs cannot be resolved.
    """
    project = wiring.project_of(config)
    plan = load_plan(path)
    target = wiring.target_of(project)
    check_saved_plan(plan, scope=wiring.scope_of(target), now=wiring.now(), max_age=options["max_age"])
    secrets = wiring.secrets_of(project, secrets_wanted_by(plan))
    plan = accept_deletes(plan, project.limits, options["allow_deletes"])
    return Planned(plan, project, target, secrets)


def plan_now(
    config: str | None, paths: Sequence[str], options: Mapping[str, Any], console: Console
) -> Planned:
    """Plan, and show the plan: as the result's preamble, or as a remark if the result is JSON."""
    planned = plan_live(config, paths, options, console)
    plan = accept_deletes(planned.plan, planned.project.limits, options["allow_deletes"])
    if options["format_"] == "text":
        console.result(PLAN_FORMATS["text"](plan, color=console.colors_result))
    else:
        console.remark(PLAN_FORMATS["text"](plan, color=console.colors_remarks))
    return replace(planned, plan=plan)


def carry_out(planned: Planned, options: Mapping[str, Any], console: Console) -> ExitCode:
    """Apply, deliver the summary, and say by the exit code whether everything now holds."""
    result = asyncio.run(_apply(planned, console))
    result = replace(result, diagnostics=planned.plan.diagnostics)
    deliver(result, RESULT_FORMATS, console=console, format_=options["format_"], outputs=options["outputs"])
    if result.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.SUCCESS if result.is_complete else ExitCode.ERROR


async def _apply(planned: Planned, console: Console) -> ApplyResult:
    if not planned.plan.has_changes:
        return ApplyResult()
    stop = asyncio.Event()
    limits = planned.project.limits
    _stop_on_signals(stop, console)
    async with connect(planned.target, limits) as provider:
        return await apply_plan(
            planned.plan,
            provider,
            planned.secrets,
            concurrency=limits.concurrency,
            observer=_Lines(console),
            stop=stop,
            clock=monotonic,
        )


def _stop_on_signals(stop: asyncio.Event, console: Console) -> None:
    """Let the first Ctrl-C or SIGTERM end the run in good order, and the second at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        if stop.is_set():
            task.cancel()
            return
        stop.set()
        console.urgent("\nInterrupted: finishing what is under way, then stopping. Again to stop at once.")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Prints a line when an operation begins and when it ends."""

    console: Console

    def started(self, change: Change) -> None:
        self.console.remark(render_started(change, color=self.console.colors_remarks))

    def finished(self, outcome: Outcome) -> None:
        self.console.remark(render_finished(outcome, color=self.console.colors_remarks))
