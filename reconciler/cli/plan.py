"""``reconciler plan``: show what apply would change; write nothing."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli import wiring
from reconciler.cli.context import exit_code
from reconciler.cli.logging import log_api_calls
from reconciler.cli.options import FILE, acceptance_options, reporting_options, selection_options
from reconciler.cli.progress import asking_progress, reading_progress
from reconciler.cli.results import check_outputs, write_result
from reconciler.core.planner import Choices
from reconciler.core.run_selection import ALL, RunSelection
from reconciler.idp.fetch_settings import fetch_settings
from reconciler.policies import Approvals, accept_risks
from reconciler.providers.stytch.connect import connect
from reconciler.reports import PLAN_FORMATS
from reconciler.workflow.desired import PlanRequest, gather_desired
from reconciler.workflow.discovery import Providers
from reconciler.workflow.judgement import accept_deletes
from reconciler.workflow.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from reconciler.cli.context import CommandContext
    from reconciler.core.plan import Plan
    from reconciler.core.state import DesiredOrganization
    from reconciler.manifests import Project
    from reconciler.providers.stytch.credentials import Target
    from reconciler.workflow.desired import Desired
    from reconciler.workflow.live_state import Progress

Result = TypeVar("Result")


@click.command("plan")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option("--out", type=FILE, metavar="FILE", help="Save the plan; `apply FILE` applies exactly it.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are changes.")
@click.option(
    "--no-secrets",
    is_flag=True,
    help="Do not resolve or compare secrets, for example in untrusted pull requests.",
)
@acceptance_options()
@selection_options()
@reporting_options("text", "json", "markdown", "html", "github", "sarif")
@click.pass_obj
def command(context: CommandContext, /, paths: tuple[str, ...], **options: Any) -> int:  # noqa: ANN401 - options
    """Show what apply would change; write nothing.

    PATHs are manifests or folders of manifests; the default is `organizations` in the project file.
    `apply` evaluates a saved plan again: give it the same --accept-risk and --allow-deletes.
    """
    context.configure(options)
    saved = Path(options["out"]) if options["out"] else None
    check_outputs(context, saved)
    plan = accept(plan_live(context, paths, options), options).plan
    written = write_result(plan, PLAN_FORMATS, context, saved)
    if saved and written:
        context.console.info(f"\nSaved the plan to: {str(saved)!r}")
    return exit_code(
        failed=plan.has_errors or not written, changes=options["detailed_exitcode"] and plan.has_changes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, the project and API that it is for, all that is declared, and which addresses it covers."""

    plan: Plan
    project: Project
    target: Target
    declared: tuple[DesiredOrganization, ...] = ()
    selection: RunSelection = ALL
    approvals: Approvals = field(default_factory=Approvals)


def plan_live(context: CommandContext, paths: Sequence[str], options: Mapping[str, Any]) -> Planned:
    """Plan as the options of ``plan`` and ``apply`` say."""
    desired, target = gather(context, paths, options)
    return Planned(
        plan=asyncio.run(run_connected(make_plan, desired, target, context)),
        project=desired.project,
        target=target,
        declared=desired.declared,
        selection=desired.selection,
        approvals=desired.approvals.approvals,
    )


def accept(planned: Planned, options: Mapping[str, Any]) -> Planned:
    """Return a plan with the risks and deletes that the options accept.

    Raises:
        UsageError: an option accepts a risk that the plan does not have.
    """
    plan = accept_deletes(planned.plan, planned.project.limits, options["allow_deletes"], planned.approvals)
    return replace(planned, plan=accept_risks(plan, options["accept_risk"]))


def gather(
    context: CommandContext, paths: Sequence[str], options: Mapping[str, Any], *, for_drift: bool = False
) -> tuple[Desired, Target]:
    """Gather what the options of ``plan``, ``apply`` and ``drift`` select, and the credentials."""
    project = wiring.project_of(context.config)
    wiring.check_target(project)
    request = PlanRequest(
        choices=Choices(
            secrets={},
            targets=options["targets"],
            rotate=options.get("rotate", ()),
            compares_secrets=not options.get("no_secrets", False),
            reports_missing=for_drift,
            keeps_live=for_drift,
            today=wiring.now().date(),
        ),
        paths=tuple(paths),
        variables=options["variables"],
        changed_since=options["changed_since"],
        shard=options["shard"],
    )
    desired = gather_desired(request, project, environment=os.environ, remark=context.console.info)
    return desired, wiring.target_of(project)


async def run_connected(
    work: Callable[..., Awaitable[Result]], desired: Desired, target: Target, context: CommandContext
) -> Result:
    """Connect to the API, and do the work, with the arguments of ``make_plan``."""
    log = log_api_calls(context.console)
    project = desired.project
    make_bounds = partial(fetch_settings, project.idp, project.root, os.environ, target.address)
    with ExitStack() as bars:

        def asking(total: int) -> Progress:
            bars.close()  # a terminal has room for one bar
            return bars.enter_context(asking_progress(context.console, total))

        progress = bars.enter_context(reading_progress(context.console, len(desired.organizations)))
        async with connect(target, desired.limits, clock=context.clock, api_log=log) as reader:
            return await work(
                desired,
                reader,
                providers=Providers(project.idp, make_bounds, asking),
                scope=wiring.scope_of(target),
                created_at=wiring.now().isoformat(),
                progress=progress,
            )
