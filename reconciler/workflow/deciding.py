"""Deciding about one organization: what the planner says, and what only a further question can tell."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.change import ActionReason, Delete
from reconciler.core.errors import AccessDenied, Diagnostic, ProviderError, Severity
from reconciler.core.planner import plan_organization, unreadable
from reconciler.core.warnings import external_connections, external_use_warnings
from reconciler.core.whereabouts import missing_pins, pinned_elsewhere
from reconciler.storage.history import NoHistory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.change import Change
    from reconciler.core.plan import OrganizationPlan
    from reconciler.core.planner import Choices
    from reconciler.core.state import DesiredOrganization, LiveOrganization, Organization
    from reconciler.providers.base import Reader
    from reconciler.workflow.elsewhere import OtherDocuments
    from reconciler.workflow.past import Past

_MOST_QUESTIONS: Final = 10
"""Searches that one run may spend on telling where a missing pin is; the API allows 100 a minute."""


class OtherOrganization(ProviderError):
    """A name leads to an organization that the manifest is not pinned to."""


@dataclass(slots=True)
class Deciding:
    """Plans organizations one by one.

    Before anything undeclared is deleted, ``others`` is asked whether another document declares it,
    and ``past`` whether its last declaration forbade that.
    """

    reader: Reader
    past: Past | None = None
    others: OtherDocuments | None = None
    _questions: int = 0
    _borrowers: dict[str, list[str]] = field(default_factory=dict)

    async def plan(
        self, desired: DesiredOrganization, found: Organization | ProviderError, choices: Choices
    ) -> OrganizationPlan:
        """Read one organization and plan it; ``found`` may be why it cannot be."""
        try:
            if isinstance(found, ProviderError):
                raise await self._explained(found, desired)
            live = await self.reader.read_organization(found)
        except AccessDenied:
            raise
        except ProviderError as error:
            return unreadable(desired, error)
        for connection_id, borrower in external_connections(live):
            self._borrowers.setdefault(connection_id, []).append(borrower)
        plan = await self._respecting_the_past(desired, live, choices)
        return await self._with_whereabouts(plan, desired)

    def dependants(self, changes: Iterable[Change]) -> tuple[Diagnostic, ...]:
        """Return warnings about deletes that other organizations suffer from, once all were read."""
        return tuple(external_use_warnings(changes, self._borrowers))

    async def _respecting_the_past(
        self, desired: DesiredOrganization, live: LiveOrganization, choices: Choices
    ) -> OrganizationPlan:
        plan = plan_organization(desired, live, choices)
        doomed = [
            one.before
            for one in plan.changes
            if isinstance(one, Delete) and one.reason is ActionReason.NOT_DECLARED
        ]
        if not doomed:
            return plan
        if self.others is not None:
            objection = await asyncio.to_thread(self.others.objection, desired, live.organization)
            if objection is not None:
                return unreadable(
                    desired, ProviderError(f"undeclared connections are to go, but {objection}")
                )
        if self.past is None:
            return plan
        try:
            protections = await asyncio.to_thread(self.past.protections, desired, live.organization, doomed)
        except NoHistory as error:
            if error.is_kept:
                return unreadable(desired, ProviderError(_unasked(error)))
            return replace(plan, diagnostics=(*plan.diagnostics, _unchecked(desired, error)))
        return plan_organization(replace(desired, protections=protections), live, choices)

    async def _with_whereabouts(
        self, plan: OrganizationPlan, desired: DesiredOrganization
    ) -> OrganizationPlan:
        """Say of pins that are not live where they are."""
        pins = missing_pins(desired, plan.diagnostics)
        if not pins:
            return plan
        found = [
            await self._located(one, pins[one.address]) if one.address in pins else one
            for one in plan.diagnostics
        ]
        return replace(plan, diagnostics=tuple(found))

    async def _located(self, finding: Diagnostic, pin: str) -> Diagnostic:
        owner = await self._ask_for_owner(pin)
        return finding if owner is None else pinned_elsewhere(finding, pin, owner)

    async def _ask_for_owner(self, connection_id: str) -> Organization | None:
        if not self._may_ask():
            return None
        try:
            return await self.reader.find_owner(connection_id)
        except AccessDenied:
            raise
        except ProviderError:
            return None  # the finding is right without it

    async def _explained(self, error: ProviderError, desired: DesiredOrganization) -> ProviderError:
        """Say what the organization that was meant is called now."""
        pin = desired.organization_id
        if not isinstance(error, OtherOrganization) or pin is None or not self._may_ask():
            return error
        meant = (await self.reader.find_organizations([pin])).get(pin)
        if meant is None or isinstance(meant, ProviderError):
            return error
        return OtherOrganization(f"{error.message}; {pin} is called {meant.slug!r} now")

    def _may_ask(self) -> bool:
        self._questions += 1
        return self._questions <= _MOST_QUESTIONS


def _unasked(error: NoHistory) -> str:
    return (
        "undeclared connections are to go, and Git cannot be asked whether a removed block had "
        f"`prevent_destroy: true`: {error}; make Git work here (is it installed, does it trust the folder?)"
    )


def _unchecked(desired: DesiredOrganization, error: NoHistory) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "protection-unchecked",
        f"organization {desired.reference}: whether a removed block had `prevent_destroy: true` is not "
        f"checked: {error}",
        detail="keep manifests in Git, and plan in a clone of the repository, where Git is installed",
        address=desired.reference,
        location=desired.location,
    )
