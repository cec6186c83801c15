"""Reads what `drift` compares: a plan, and the organizations that no manifest names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.drift import DriftMode, Observations
from reconciler.core.errors import AccessDenied, Diagnostic, ProviderError, Severity
from reconciler.core.undeclared import combine, find_undeclared, find_unknown
from reconciler.policies import find_live_risks
from reconciler.workflow.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.plan import Plan, Scope
    from reconciler.core.state import ActiveOrganization
    from reconciler.providers.base import Directory
    from reconciler.workflow.desired import Desired
    from reconciler.workflow.live_state import Progress


async def read_drift(
    desired: Desired, directory: Directory, *, scope: Scope, created_at: str, progress: Progress
) -> tuple[Plan, Observations]:
    """Plan the desired organizations, and observe what the plan does not show.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    plan = await make_plan(desired, directory, scope=scope, created_at=created_at, progress=progress)
    undeclared = find_undeclared(plan, desired.project.drift, desired.selection)
    risks = find_live_risks(plan.live, desired.project.policies, desired.approvals.approvals)
    observed = replace(undeclared, findings=(*undeclared.findings, *risks))
    return plan, combine(observed, await _observe_unknown(desired, directory))


async def _observe_unknown(desired: Desired, directory: Directory) -> Observations:
    """Look for organizations that no manifest names; only a run of the whole project can tell."""
    if not desired.manifests.is_whole or desired.request.choices.targets:
        return Observations(unknown_checked=False)
    settings = desired.project.drift
    if settings.unknown_organizations is DriftMode.IGNORE:
        return Observations()
    if desired.past.unknown:
        return _not_checked(desired, f"{desired.past.unknown[0].file.display_path} cannot be read")
    try:
        live = [
            _masked(active, desired)
            async for active in directory.list_active_organizations()
            if active.connections
        ]
    except AccessDenied:
        raise
    except ProviderError as error:
        return _not_checked(desired, str(error))
    return find_unknown(live, frozenset(_declared_names(desired)), settings, desired.selection)


def _declared_names(desired: Desired) -> Iterator[str]:
    for organization in desired.declared:
        yield from organization.names


def _masked(active: ActiveOrganization, desired: Desired) -> ActiveOrganization:
    secrets = tuple(desired.choices.secrets.values())
    return replace(active, connections=tuple(connection.masked(secrets) for connection in active.connections))


def _not_checked(desired: Desired, reason: str) -> Observations:
    """Say that nothing is known of other organizations; an error where they would be drift."""
    is_drift = desired.project.drift.unknown_organizations is DriftMode.DRIFT
    warning = Diagnostic(
        Severity.ERROR if is_drift else Severity.WARNING,
        "unknown-organizations-not-checked",
        f"it was not checked whether there are organizations that no manifest names: {reason}",
        hint="run `reconciler drift` again; `drift: {unknown_organizations: ignore}` in the project file "
        "leaves them out",
    )
    return Observations(unknown_checked=False, diagnostics=(warning,))
