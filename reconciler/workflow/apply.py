"""Applies a plan: checks its target, age and blocks, resolves its secrets, and runs its operations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from reconciler.applier import apply_changes
from reconciler.core.change import Create, Update, predictions
from reconciler.core.errors import InvalidConfiguration, PlanRefused
from reconciler.core.outcome import Applied, ApplyResult, Failed, Skipped
from reconciler.core.secret import SecretReference
from reconciler.idp.checks.endpoints import inference_differs
from reconciler.policies import judge_idp_findings
from reconciler.policies.approvals import approve_risks
from reconciler.secrets import WantedSecret, resolve_secrets
from reconciler.workflow.discovery import idp_diagnostic

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.applier import Observer, ReadBackPolicy
    from reconciler.core.address import Address
    from reconciler.core.change import Change
    from reconciler.core.errors import Diagnostic
    from reconciler.core.outcome import Outcome
    from reconciler.core.plan import Plan, Scope
    from reconciler.http.clock import Clock
    from reconciler.policies import Approvals
    from reconciler.providers.base import Provider
    from reconciler.secrets import ResolvedSecrets, SecretAccess

_MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clocks of two machines may differ."""


def check_saved_plan(plan: Plan, *, scope: Scope, now: datetime, max_age: timedelta) -> None:
    """Check that a saved plan was made for this project, and not too long ago.

    Raises:
        PlanRefused: it was made for another project, or has expired; the text says what differs.
    """
    for name, planned, current in (
        ("project", plan.scope.principal, scope.principal),
        ("environment", plan.scope.environment, scope.environment),
        ("base URL", plan.scope.base_url, scope.base_url),
    ):
        if planned != current:
            raise PlanRefused(
                f"the plan was made for {name} {planned}, this run is for {current}: "
                "apply it where it was made, or plan again here"
            )
    age = now - _moment(plan.created_at)
    if age < -_MAX_CLOCK_SKEW:
        raise PlanRefused(
            f"the plan was made at {plan.created_at}, which is in the future here: set the clocks right, "
            "or plan again"
        )
    if age > max_age:
        raise PlanRefused(
            f"the plan was made at {plan.created_at}, more than {_hours(max_age)} ago: plan again, "
            "or allow it with --max-age"
        )


def check_applicable(plan: Plan) -> None:
    """Check that nothing blocks the plan as a whole.

    Raises:
        InvalidConfiguration: something does; all findings are named.
    """
    if plan.refusals:
        raise InvalidConfiguration((*plan.diagnostics, *plan.refusals))


def resolve_plan_secrets(plan: Plan, access: SecretAccess) -> ResolvedSecrets:
    """Resolve every secret that applying the plan needs, to compare or to send.

    Raises:
        InvalidConfiguration: one is forbidden, or nothing can be applied without those that cannot be
            resolved; all are named.
    """
    wanted = [
        WantedSecret(change.declared.client_secret, change.address, change.location)
        for change in plan.changes
        if isinstance(change, Create | Update) and isinstance(change.declared.client_secret, SecretReference)
    ]
    resolved = resolve_secrets(wanted, access)
    is_forbidden = any(
        access.policy.check(locator, secret.address)
        for secret in wanted
        for locator in secret.reference.locators
    )
    if is_forbidden or (resolved.diagnostics and not _applicable_changes(plan, resolved)):
        raise InvalidConfiguration(resolved.diagnostics)
    return resolved


async def apply_plan(
    plan: Plan,
    provider: Provider,
    secrets: ResolvedSecrets,
    *,
    concurrency: int,
    observer: Observer,
    stop: asyncio.Event,
    clock: Clock,
    read_back: ReadBackPolicy | None = None,
) -> ApplyResult:
    """Carry a plan out. Organizations of which a secret cannot be resolved are skipped.

    Raises:
        InvalidConfiguration: something blocks the plan as a whole; nothing was written.
    """
    check_applicable(plan)
    result = await apply_changes(
        _applicable_changes(plan, secrets),
        provider,
        secrets.secrets,
        observer=observer,
        stop=stop,
        concurrency=concurrency,
        clock=clock,
        read_back=read_back,
    )
    outcomes = {outcome.address: outcome for outcome in result.outcomes}
    return replace(
        result,
        outcomes=tuple(
            outcomes.get(change.address)
            or _skipped(change, "a secret of its organization cannot be resolved")
            for change in plan.changes
        ),
    )


def _applicable_changes(plan: Plan, secrets: ResolvedSecrets) -> tuple[Change, ...]:
    """Return the changes of the organizations whose secrets are all there."""
    unresolved = {secret.address.organization for secret in secrets.unresolved if secret.address}
    return tuple(change for change in plan.changes if change.address.organization not in unresolved)


def inference_findings(
    plan: Plan, outcomes: Sequence[Outcome], severities: Mapping[str, str], approvals: Approvals
) -> tuple[Diagnostic, ...]:
    """Return a warning for each endpoint that the service inferred otherwise than predicted."""
    changes = {change.address: change for change in plan.changes if isinstance(change, Create | Update)}
    findings = [
        idp_diagnostic(change, finding)
        for outcome in outcomes
        if isinstance(outcome, Applied) and (change := changes.get(outcome.address))
        for finding in inference_differs(predictions(change), outcome.connection)
    ]
    return approve_risks(judge_idp_findings(findings, severities, are_errors=False), approvals)


def interrupted_result(
    changes: Sequence[Change], outcomes: Mapping[Address, Outcome], running: Collection[Address]
) -> ApplyResult:
    """Return the result of a run that was stopped at once, while operations were ``running``."""
    return ApplyResult(
        tuple(
            outcomes.get(change.address) or _interrupted(change, is_running=change.address in running)
            for change in changes
        ),
        interrupted=True,
    )


def _interrupted(change: Change, *, is_running: bool) -> Outcome:
    if not is_running:
        return _skipped(change, "interrupted")
    return Failed(
        address=change.address,
        action=change.action,
        organization_id=change.organization_id,
        message="interrupted while running; the outcome is unknown",
        advice="plan again: an operation that has begun is found, and continued instead of repeated",
        error_type="interrupted",
    )


def _skipped(change: Change, reason: str) -> Skipped:
    return Skipped(
        address=change.address, action=change.action, organization_id=change.organization_id, reason=reason
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PlanRefused(f"the plan's timestamp {text!r} is not a date: plan again") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:g} h"
