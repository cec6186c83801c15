"""Carrying out a plan from the command line: where it comes from, and how it ends."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from reconciler.cli import wiring
from reconciler.cli.context import ExitCode
from reconciler.cli.logging import journal_of
from reconciler.cli.output import write_result
from reconciler.cli.planning import Planned, plan_live
from reconciler.cli.progress import applying_progress
from reconciler.cli.watching import Watch
from reconciler.core.errors import InvalidConfiguration
from reconciler.core.outcome import ApplyResult
from reconciler.policies import accept_risks
from reconciler.providers.stytch.connect import connect
from reconciler.reports import PLAN_FORMATS, RESULT_FORMATS
from reconciler.reports.origin_text import render_origin
from reconciler.storage.plan_file import load_plan
from reconciler.workflow.apply import accept_deletes, apply_plan, check_saved_plan, secrets_wanted_by

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.cli.console import Console
    from reconciler.cli.context import CommandContext
    from reconciler.core.plan import Plan
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.manifests import Project


def load_saved(context: CommandContext, path: Path, options: Mapping[str, Any]) -> Planned:
    """Read a saved plan and make sure that it may be applied here and now.

    Raises:
        PlanRefused: it is changed, foreign, expired, or of another version.
    """
    project = wiring.project_of(context.config)
    plan = load_plan(path)
    target = wiring.target_of(project)
    check_saved_plan(plan, scope=wiring.scope_of(target), now=wiring.now(), max_age=options["max_age"])
    context.console.info(render_origin(plan))
    return Planned(_accepting(plan, project, options), project, target)


def plan_now(context: CommandContext, paths: Sequence[str], options: Mapping[str, Any]) -> Planned:
    """Plan, and show the plan: as the result's preamble, or as a remark if the result is JSON."""
    planned = plan_live(context, paths, options)
    plan = _accepting(planned.plan, planned.project, options)
    if context.format == "text":
        context.console.result(PLAN_FORMATS["text"](plan, color=context.console.colors_stdout))
    else:
        context.console.info(PLAN_FORMATS["text"](plan, color=context.console.colors_stderr))
    return replace(planned, plan=plan)


def carry_out(planned: Planned, context: CommandContext) -> ExitCode:
    """Apply, deliver the summary, and say by the exit code whether everything now holds.

    Raises:
        InvalidConfiguration: something blocks the plan as a whole, or a secret that it needs cannot
            be resolved; nothing was written.
    """
    if planned.plan.refusals:
        raise InvalidConfiguration((*planned.plan.diagnostics, *planned.plan.refusals))
    secrets = wiring.secrets_of(planned.project, secrets_wanted_by(planned.plan))
    result = asyncio.run(_apply(planned, secrets, context.console))
    result = replace(result, diagnostics=planned.plan.diagnostics)
    delivered = write_result(result, RESULT_FORMATS, context)
    if result.interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.SUCCESS if result.is_complete and delivered else ExitCode.ERROR


def _accepting(plan: Plan, project: Project, options: Mapping[str, Any]) -> Plan:
    plan = accept_deletes(plan, project.limits, options["allow_deletes"])
    return accept_risks(plan, options["accept_risk"])


async def _apply(
    planned: Planned, secrets: Mapping[SecretReference, Secret], console: Console
) -> ApplyResult:
    plan = planned.plan
    limits = planned.project.limits.among(plan.shard.count if plan.shard else 1)
    if not plan.has_changes:
        return ApplyResult()
    stop = asyncio.Event()
    _stop_on_signals(stop, console)
    with applying_progress(console, len(plan.changes)) as progress:
        watch = Watch(console, progress)
        async with connect(planned.target, limits, journal=journal_of(console)) as provider, watch.ticking():
            try:
                return await apply_plan(
                    plan,
                    provider,
                    secrets,
                    concurrency=limits.concurrency,
                    observer=watch,
                    stop=stop,
                    clock=monotonic,
                )
            except asyncio.CancelledError:  # by the second Ctrl-C, see below
                return watch.cut_short(plan.changes)


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
        console.error("\nInterrupted: finishing what is under way, then stopping. Again to stop at once.")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
