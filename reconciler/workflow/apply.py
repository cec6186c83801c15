"""Applying: may this plan be carried out here and now, and then carrying it out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from reconciler.applier import apply_changes
from reconciler.core.change import Create, Update
from reconciler.core.errors import InvalidConfiguration, PlanRefused
from reconciler.core.guards import check_delete_limits
from reconciler.core.secret import SecretReference
from reconciler.secrets import WantedSecret

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from reconciler.applier import Observer, ReadBackPolicy
    from reconciler.core.limits import Limits
    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan, Scope
    from reconciler.core.secret import Secret
    from reconciler.providers.base import Provider

_CLOCKS_APART: Final = timedelta(minutes=5)
"""How far the clocks of two machines may differ."""


def check_saved_plan(plan: Plan, *, scope: Scope, now: datetime, max_age: timedelta) -> None:
    """Make sure that a saved plan is for this project, and not from long ago.

    Raises:
        PlanRefused: it is foreign or expired; the text says what differs.
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
    if age < -_CLOCKS_APART:
        raise PlanRefused(
            f"the plan was made at {plan.created_at}, which is still to come here: set the clocks right, "
            "or plan again"
        )
    if age > max_age:
        raise PlanRefused(
            f"the plan was made at {plan.created_at}, more than {_hours(max_age)} ago: plan again, "
            "or allow it with --max-age"
        )


def accept_deletes(plan: Plan, limits: Limits, accepted: int | None) -> Plan:
    """Return the plan with its delete limits judged again, ``accepted`` deletes being agreed to."""
    others = tuple(found for found in plan.blocks if found.code != "too-many-deletes")
    return replace(plan, blocks=(*others, *check_delete_limits(plan.summary, limits, accepted)))


def secrets_wanted_by(plan: Plan) -> tuple[WantedSecret, ...]:
    """Return every secret that carrying out the plan needs, to compare or to send."""
    return tuple(
        WantedSecret(change.declared.client_secret, change.address, change.location)
        for change in plan.changes
        if isinstance(change, Create | Update) and isinstance(change.declared.client_secret, SecretReference)
    )


async def apply_plan(
    plan: Plan,
    provider: Provider,
    secrets: Mapping[SecretReference, Secret],
    *,
    concurrency: int,
    observer: Observer,
    stop: asyncio.Event,
    clock: Callable[[], float],
    patience: ReadBackPolicy | None = None,
) -> ApplyResult:
    """Carry a plan out.

    Raises:
        InvalidConfiguration: something blocks the plan as a whole; nothing was written.
    """
    if plan.refusals:
        raise InvalidConfiguration(plan.refusals)
    return await apply_changes(
        plan.changes,
        provider,
        secrets,
        observer=observer,
        stop=stop,
        concurrency=concurrency,
        clock=clock,
        patience=patience,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PlanRefused(f"the plan's timestamp {text!r} is no date: plan again") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:g} h"
