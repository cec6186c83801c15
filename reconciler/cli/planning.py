"""From the words of a call to a plan: what ``plan`` and ``apply`` have in common."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reconciler.cli import wiring
from reconciler.cli.logging import journal_of
from reconciler.cli.progress import reading_progress
from reconciler.core.coverage import EVERYTHING, Coverage
from reconciler.core.errors import ReconcilerError
from reconciler.core.plan import with_warnings
from reconciler.core.planner import Choices
from reconciler.providers.stytch.connect import connect
from reconciler.storage.git import head_of
from reconciler.workflow.elsewhere import OtherDocuments
from reconciler.workflow.gather import Declared
from reconciler.workflow.past import GitPast
from reconciler.workflow.plan import Circumstances, stream_plan
from reconciler.workflow.selection import select_manifests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.cli.console import Console
    from reconciler.cli.context import CommandContext
    from reconciler.core.limits import Limits
    from reconciler.core.plan import Plan
    from reconciler.core.shard import Shard
    from reconciler.manifests import ManifestFile, Project
    from reconciler.providers.stytch.target import Target
    from reconciler.workflow.past import Past


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, whom it is for, and what it can speak of."""

    plan: Plan
    project: Project
    target: Target
    coverage: Coverage = EVERYTHING


def plan_live(context: CommandContext, paths: Sequence[str], options: Mapping[str, Any]) -> Planned:
    """Read manifests, secrets and what is live, and plan.

    Raises:
        ReconcilerError: something stands in the way of any plan at all.
    """
    console = context.console
    project = wiring.project_of(context.config)
    choices = _choices(options)
    selection = select_manifests(paths, project, options["variables"], options["changed_since"])
    if selection.remark:
        console.info(selection.remark)
    named: set[str] | None = None if selection.is_whole else set()
    shard: Shard | None = options["shard"]
    declared = Declared(_noting(selection.files, named), choices, wiring.resolver_of(project), shard)
    try:
        target = wiring.target_of(project)
        past = GitPast(project, options["variables"])
        is_all = selection.is_whole and not choices.targets and shard is None
        others = None if is_all else OtherDocuments(project, options["variables"])
        limits = project.limits.among(shard.count) if shard else project.limits
        plan = asyncio.run(
            _plan(
                project,
                declared,
                choices,
                limits=limits,
                target=target,
                console=console,
                past=past,
                others=others,
            )
        )
    except ReconcilerError:
        declared.check()  # what is wrong in the files is to be said all the same, and first
        raise
    declared.complete()
    plan = declared.shared_out(with_warnings(plan, declared.of_this_share()))
    plan = replace(plan, risks=declared.risks(plan.changes, project.policies))
    organizations = None if named is None else frozenset(named)
    return Planned(plan, project, target, Coverage(choices.targets, organizations, shard))


def _noting(files: Iterable[ManifestFile], named: set[str] | None) -> Iterator[ManifestFile]:
    """Pass files through, noting the organizations of a selection; of everything, nothing is kept."""
    for file in files:
        if named is not None:
            named.update(one.reference for one in file.organizations)
        yield file


def _choices(options: Mapping[str, Any]) -> Choices:
    return Choices(
        secrets={},
        targets=options["targets"],
        rotate=options.get("rotate", ()),
        compares_secrets=not options.get("no_secrets", False),
        today=wiring.now().date(),
    )


async def _plan(
    project: Project,
    declared: Declared,
    choices: Choices,
    *,
    limits: Limits,
    target: Target,
    console: Console,
    past: Past,
    others: OtherDocuments | None,
) -> Plan:
    with reading_progress(console, lambda: declared.expected) as progress:
        async with connect(target, limits, journal=journal_of(console)) as provider:
            return await stream_plan(
                declared.batches(),
                provider,
                choices=choices,
                limits=limits,
                circumstances=Circumstances(
                    scope=wiring.scope_of(target),
                    created_at=wiring.now().isoformat(),
                    commit=head_of(project.root),
                ),
                progress=progress,
                past=past,
                others=others,
            )
