"""``reconciler apply``: create, update and delete connections to match the manifests."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import wiring
from reconciler.cli.console import ending_signals
from reconciler.cli.context import exit_code
from reconciler.cli.failure import Declined
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import FILE, acceptance_options, reporting_options, selection_options
from reconciler.cli.plan import Planned, accept, plan_live
from reconciler.cli.progress import ApplyProgress, applying_progress
from reconciler.cli.results import check_outputs, write_result
from reconciler.core.outcome import ApplyResult, pins_to_write
from reconciler.http.clock import Clock
from reconciler.providers.stytch.connect import connect
from reconciler.reports import PLAN_FORMATS, RESULT_FORMATS
from reconciler.reports.escaping import escape_terminal
from reconciler.reports.text_plan import render_origin
from reconciler.reports.wording import describe_target
from reconciler.storage.documents import load_plan
from reconciler.workflow.apply import (
    apply_plan,
    check_applicable,
    check_saved_plan,
    inference_findings,
    interrupted_result,
    resolve_plan_secrets,
)
from reconciler.workflow.desired import gather_declared
from reconciler.workflow.inputs import check_inputs
from reconciler.workflow.judgement import gather_approvals, judge_saved_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.console import Console
    from reconciler.cli.context import CommandContext
    from reconciler.core.plan import Plan
    from reconciler.secrets import ResolvedSecrets

_QUESTION = """
Do you want to perform these actions?
  reconciler will perform the actions described above
  in {target}.
  Only 'yes' will be accepted to approve.

  Enter a value: """

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _read_age(_context: click.Context, _parameter: click.Parameter, value: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([smhd])", value, re.ASCII)
    if match is None:
        raise click.BadParameter(f"{value!r} must be a number with s, m, h or d, such as 24h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.command("apply")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PLAN_FILE | PATH...]")
@click.option("--auto-approve", is_flag=True, help="Do not ask for approval.")
@click.option(
    "--max-age",
    default="24h",
    show_default=True,
    metavar="AGE",
    callback=_read_age,
    help="The maximum age of a saved plan: a number with s, m, h or d.",
)
@click.option(
    "--any-inputs",
    is_flag=True,
    help="Apply a saved plan even if the manifests, project file or approvals differ.",
)
@acceptance_options()
@selection_options()
@reporting_options("text", "json", "markdown", "html")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Create, update and delete connections to match the manifests.

    With PATHs (or none) it plans, asks for approval, and applies. With a PLAN_FILE, as saved by
    `plan --out`, it applies exactly that plan without asking.
    """
    context.configure(options)
    saved = _plan_file(paths)
    if saved and any(options[name] for name in ("targets", "changed_since", "shard", "rotate", "variables")):
        raise click.UsageError(
            "a saved plan is applied as it is: omit --target, --changed-since, --shard, --rotate and --var"
        )
    if options["any_inputs"] and not saved:
        raise click.UsageError("--any-inputs is about a saved plan: pass the plan file")
    check_outputs(context)
    planned = _load_saved(context, saved, options) if saved else _plan_now(context, paths, options)
    if planned.plan.can_apply and not saved and not options["auto_approve"]:
        _approve(planned.plan, context.console)
    return _apply(planned, context)


def _plan_file(paths: tuple[str, ...]) -> Path | None:
    """Return the saved plan if the only argument is one: a file without a manifest's suffix."""
    if len(paths) != 1:
        return None
    path = Path(paths[0])
    if not path.exists():
        raise click.UsageError(
            f"{path}: there is no such file or folder; pass manifests, or a plan that "
            "`reconciler plan --out FILE` has saved"
        )
    return None if path.suffix in {".yaml", ".yml"} or path.is_dir() else path


def _load_saved(context: CommandContext, path: Path, options: Mapping[str, Any]) -> Planned:
    """Read a saved plan, and check that it may be applied.

    Raises:
        PlanRefused: it is changed, foreign, expired, or of another version.
    """
    project = wiring.project_of(context.config)
    wiring.check_target(project)
    plan = load_plan(path)
    target = wiring.target_of(project)
    check_saved_plan(plan, scope=wiring.scope_of(target), now=wiring.now(), max_age=options["max_age"])
    if not options["any_inputs"]:
        check_inputs(plan, project)
    context.console.info(render_origin(plan))
    approvals = gather_approvals(project, wiring.now().date())
    declared = gather_declared(project, plan.inputs.paths if plan.inputs else ())
    plan = judge_saved_plan(plan, project, approvals, declared, os.environ)
    planned = Planned(
        plan=plan, project=project, target=target, declared=declared, approvals=approvals.approvals
    )
    return accept(planned, options)


def _plan_now(context: CommandContext, paths: Sequence[str], options: Mapping[str, Any]) -> Planned:
    """Plan, and show the plan: before the result, or on standard error if the result is JSON."""
    planned = accept(plan_live(context, paths, options), options)
    if context.format == "text":
        context.console.result(PLAN_FORMATS["text"](planned.plan, style=context.console.stdout_style))
    else:
        context.console.info(PLAN_FORMATS["text"](planned.plan, style=context.console.stderr_style))
    return planned


def _approve(plan: Plan, console: Console) -> None:
    if not console.is_interactive:
        raise click.UsageError(
            "cannot ask for approval without a terminal: use --auto-approve, or apply a plan saved with "
            "`plan --out`"
        )
    question = _QUESTION.format(target=describe_target(plan.scope, escape_terminal))
    if console.ask(question) != "yes":
        raise Declined


def _apply(planned: Planned, context: CommandContext) -> int:
    check_applicable(planned.plan)
    secrets = resolve_plan_secrets(planned.plan, planned.project.secret_access(os.environ))
    result = asyncio.run(_send(planned, secrets, context))
    policies = planned.project.policies
    inferred = inference_findings(planned.plan, result.outcomes, policies, planned.approvals)
    diagnostics = (*planned.plan.diagnostics, *secrets.diagnostics, *inferred)
    result = replace(
        result,
        diagnostics=diagnostics,
        scope=planned.plan.scope,
        commit=planned.plan.commit,
        ended_at=wiring.now().isoformat(),
        pins=pins_to_write(result.outcomes, planned.declared),
    )
    written = write_result(result, RESULT_FORMATS, context)
    return exit_code(failed=not (result.is_complete and written), interrupted=result.interrupted)


async def _send(planned: Planned, secrets: ResolvedSecrets, context: CommandContext) -> ApplyResult:
    plan, console, clock = planned.plan, context.console, context.clock or Clock()
    if not plan.has_changes:
        return ApplyResult()
    limits = planned.project.limits.among(plan.shard.count if plan.shard else 1)
    stop = asyncio.Event()
    _stop_on_signals(stop, console)
    with applying_progress(console, len(plan.changes)) as lines:
        progress = ApplyProgress(console, lines)
        async with (
            connect(planned.target, limits, clock=clock, api_log=log_api_calls(console)) as provider,
            progress.ticking(),
        ):
            try:
                return await apply_plan(
                    plan,
                    provider,
                    secrets,
                    concurrency=limits.concurrency,
                    observer=progress,
                    stop=stop,
                    clock=clock,
                )
            except asyncio.CancelledError:  # by the second Ctrl-C, see below
                return interrupted_result(plan.changes, progress.outcomes, progress.running)


def _stop_on_signals(stop: asyncio.Event, console: Console) -> None:
    """Let the first Ctrl-C, SIGTERM or SIGHUP finish the running operations, and the second stop at once.

    When a terminal is closed, the kernel and the shell may both send SIGHUP: the second one does not count.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    has_terminal = sys.stderr.isatty()

    def interrupt(number: signal.Signals) -> None:
        if stop.is_set() and has_terminal and number is signal.SIGHUP:
            return
        if stop.is_set():
            task.cancel()
            return
        stop.set()
        console.error("\nInterrupted: finishing running operations, then stopping. Again to stop at once.")

    for number in (signal.SIGINT, *ending_signals()):
        loop.add_signal_handler(number, interrupt, number)
