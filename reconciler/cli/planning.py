"""From the words of a call to a plan: what ``plan`` and ``apply`` have in common."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.cli import wiring
from reconciler.cli.logging import configure_logging
from reconciler.cli.progress import reading_progress
from reconciler.core.planner import Choices
from reconciler.providers.stytch.connect import connect
from reconciler.reports import render_diagnostics
from reconciler.secrets import wanted_by
from reconciler.workflow.plan import Circumstances, aim, make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.call import Call
    from reconciler.cli.console import Console
    from reconciler.core.plan import Plan
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import DesiredState
    from reconciler.manifests import Project
    from reconciler.providers.stytch.target import Target


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what is needed to carry it out."""

    plan: Plan
    project: Project
    target: Target
    secrets: Mapping[SecretReference, Secret]


def plan_live(call: Call, paths: Sequence[str], options: Mapping[str, Any]) -> Planned:
    """Read manifests, secrets and what is live, and plan.

    Raises:
        ReconcilerError: something stands in the way of any plan at all.
    """
    console = call.console
    configure_logging(console)
    project = wiring.project_of(call.config)
    loaded = wiring.valid_manifests_of(project, paths, options["variables"])
    if loaded.diagnostics:
        console.remark(render_diagnostics(loaded.diagnostics, color=console.colors_remarks))
    choices = _choices(project, loaded.state, options)
    target = wiring.target_of(project)
    plan = asyncio.run(_plan(project, loaded.state, choices, target, console))
    return Planned(plan, project, target, choices.secrets)


def _choices(project: Project, desired: DesiredState, options: Mapping[str, Any]) -> Choices:
    compares = not options.get("no_secrets", False)
    choices = Choices(
        secrets={}, targets=options["targets"], rotate=options["rotate"], compares_secrets=compares
    )
    aimed = aim(desired, choices)
    if not compares:
        return choices
    wanted = wanted_by(
        one for organization in aimed for one in organization.connections if choices.are_aimed_at(one.address)
    )
    return Choices(secrets=wiring.secrets_of(project, wanted), targets=choices.targets, rotate=choices.rotate)


async def _plan(
    project: Project, desired: DesiredState, choices: Choices, target: Target, console: Console
) -> Plan:
    with reading_progress(console) as progress:
        async with connect(target, project.limits) as provider:
            return await make_plan(
                desired,
                provider,
                choices=choices,
                limits=project.limits,
                circumstances=Circumstances(
                    scope=wiring.scope_of(target),
                    created_at=wiring.now().isoformat(),
                    commit=wiring.commit_of(project.root),
                ),
                progress=progress,
            )
