"""Gathers what only the first plan shows to be needed.

Before connections are deleted, the manifests that were not selected are checked, and for undeclared
ones the history in Git. Of a pin that leads nowhere, the owner is looked up; of a pinned organization that
has another name by now, that name.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from reconciler.core.change import ActionReason, Delete
from reconciler.core.errors import AccessDenied, Diagnostic, OrganizationNotFound, ProviderError, Severity
from reconciler.core.state import Organization
from reconciler.storage.history import NoHistory
from reconciler.workflow.live_state import PinMismatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.core.connection import OidcConnection
    from reconciler.core.plan import OrganizationPlan
    from reconciler.core.state import DesiredOrganization, Protection
    from reconciler.providers.base import Reader
    from reconciler.workflow.live_state import LiveState
    from reconciler.workflow.selection import OtherManifests

MAX_QUESTIONS: Final = 10
"""Wrong pins that one run looks up; the API allows 100 searches a minute."""

_PIN_NOT_LIVE: Final = "pin-not-live"


class ProtectionHistory(Protocol):
    """Knows which connections were protected by blocks that have been removed."""

    def protections(
        self, desired: DesiredOrganization, organization: Organization, to_delete: Sequence[OidcConnection]
    ) -> tuple[Protection, ...]:
        """Return which of the undeclared connections must not be deleted.

        Raises:
            NoHistory: there is no history, or it cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSources:
    """Where to look before undeclared connections are deleted; without a source nothing is checked."""

    history: ProtectionHistory | None = None
    other_manifests: Callable[[], OtherManifests] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The first plan of an organization, and what it was made from."""

    desired: DesiredOrganization
    live: LiveState
    plan: OrganizationPlan

    @property
    def may_be_renamed(self) -> bool:
        """Whether its name leads nowhere, or to another organization than the pinned one."""
        is_missing = isinstance(self.live, OrganizationNotFound) and self.desired.organization_id is not None
        return is_missing or isinstance(self.live, PinMismatch)

    @property
    def deletes(self) -> bool:
        """Whether anything would be deleted."""
        return any(isinstance(change, Delete) for change in self.plan.changes)

    @property
    def undeclared_deletes(self) -> tuple[OidcConnection, ...]:
        """The connections that would be deleted because no manifest declares them."""
        return tuple(
            change.before
            for change in self.plan.changes
            if isinstance(change, Delete) and change.reason is ActionReason.NOT_DECLARED
        )

    @property
    def missing_pins(self) -> Mapping[str, str]:
        """The pins that the organization does not have, by address."""
        missing = {
            diagnostic.address for diagnostic in self.plan.diagnostics if diagnostic.code == _PIN_NOT_LIVE
        }
        missing |= {str(connection.address) for connection in self.plan.missing}
        return {
            str(declared.address): declared.connection.connection_id
            for declared in (self.desired.connections if missing else ())
            if str(declared.address) in missing and declared.connection.connection_id is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the second gather found, by the name of the organization; owners by their connection's id.

    ``deletes_withheld`` says why nothing may be deleted, and is empty if it may.
    """

    errors: Mapping[str, ProviderError] = field(default_factory=dict)
    protections: Mapping[str, tuple[Protection, ...]] = field(default_factory=dict)
    warnings: Mapping[str, Diagnostic] = field(default_factory=dict)
    pin_owners: Mapping[str, Organization] = field(default_factory=dict)
    deletes_withheld: str = ""


async def gather_answers(drafts: Sequence[Draft], reader: Reader, sources: PlanSources) -> Answers:
    """Ask what the drafts leave open; nothing is asked if they leave nothing open.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    deleting = [draft for draft in drafts if draft.deletes]
    checked = await asyncio.to_thread(_check_deletes, deleting, sources) if deleting else Answers()
    moved = [draft for draft in drafts if draft.may_be_renamed][:MAX_QUESTIONS]
    pins = [pin for draft in drafts for pin in draft.missing_pins.values()]
    return replace(
        checked,
        errors={**checked.errors, **await _find_moved(moved, reader)},
        pin_owners=await _find_owners(pins[: MAX_QUESTIONS - len(moved)], reader),
    )


def explain_missing_pins(
    plan: OrganizationPlan, pins: Mapping[str, str], owners: Mapping[str, Organization]
) -> OrganizationPlan:
    """Return the plan whose findings about missing pins name the organizations that have the connections."""
    if not any(pin in owners for pin in pins.values()):
        return plan
    diagnostics = [
        _explain_missing_pin(diagnostic, pin, owners[pin])
        if diagnostic.code == _PIN_NOT_LIVE and (pin := pins.get(diagnostic.address, "")) in owners
        else diagnostic
        for diagnostic in plan.diagnostics
    ]
    return replace(plan, diagnostics=tuple(diagnostics))


def _explain_missing_pin(diagnostic: Diagnostic, pin: str, owner: Organization) -> Diagnostic:
    name = f"{owner.slug} ({owner.organization_id})" if owner.slug else owner.organization_id
    return replace(
        diagnostic,
        summary=f"{diagnostic.address} is pinned to {pin}, which belongs to organization {name}",
        detail="declare it in that organization's manifest, or correct the line `connection_id:`; a "
        "connection never moves from one organization to another",
    )


def _check_deletes(drafts: Sequence[Draft], sources: PlanSources) -> Answers:
    """Look for reasons not to delete connections, in other manifests and in Git."""
    manifests = sources.other_manifests() if sources.other_manifests else None
    if manifests and manifests.unreadable:
        return Answers(deletes_withheld=manifests.unreadable)
    checks = {
        draft.desired.reference: _check_delete(draft, manifests, sources.history)
        for draft in drafts
        if draft.undeclared_deletes
    }
    return Answers(
        errors={name: check for name, check in checks.items() if isinstance(check, ProviderError)},
        warnings={name: check for name, check in checks.items() if isinstance(check, Diagnostic)},
        protections={name: check for name, check in checks.items() if isinstance(check, tuple)},
    )


def _check_delete(
    draft: Draft, manifests: OtherManifests | None, history: ProtectionHistory | None
) -> ProviderError | Diagnostic | tuple[Protection, ...]:
    organization = draft.plan.organization
    assert organization is not None
    reason = manifests.declared_elsewhere_error(draft.desired, organization) if manifests else None
    if reason is not None:
        return ProviderError(f"cannot delete undeclared connections: {reason}")
    if history is None:
        return ()
    try:
        return history.protections(draft.desired, organization, draft.undeclared_deletes)
    except NoHistory as error:
        if error.repository_exists:
            return _history_unreadable(error)
        return _protection_unchecked(draft.desired, error)


async def _find_moved(drafts: Sequence[Draft], reader: Reader) -> dict[str, ProviderError]:
    """Say of pinned organizations that their name no longer finds what they are called now."""
    pins = [draft.desired.organization_id or "" for draft in drafts]
    organizations = await reader.find_organizations(pins) if pins else {}
    errors: dict[str, ProviderError] = {}
    for draft, pin in zip(drafts, pins, strict=True):
        organization = organizations[pin]
        if not isinstance(organization, Organization):
            continue
        name = draft.desired.reference
        is_called = f"{pin} is called {organization.slug!r} now"
        if isinstance(draft.live, PinMismatch):
            errors[name] = PinMismatch(f"{draft.live.message}; {is_called}")
        else:
            errors[name] = OrganizationNotFound(
                f"no organization is called {name!r}, but the pinned {is_called}"
            )
    return errors


async def _find_owners(pins: Sequence[str], reader: Reader) -> dict[str, Organization]:
    owners: dict[str, Organization] = {}
    for pin in pins:
        try:
            owner = await reader.find_owner(pin)
        except AccessDenied:
            raise
        except ProviderError:
            continue  # the finding is right without it
        if owner is not None:
            owners[pin] = owner
    return owners


def _history_unreadable(error: NoHistory) -> ProviderError:
    return ProviderError(
        "cannot delete undeclared connections: Git cannot tell whether a removed block had "
        f"`prevent_destroy: true`: {error}; check that Git is installed and trusts the folder"
    )


def _protection_unchecked(desired: DesiredOrganization, error: NoHistory) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "protection-unchecked",
        f"organization {desired.reference}: whether a removed block had `prevent_destroy: true` is not "
        f"checked: {error}",
        detail="keep manifests in Git, and plan in a clone of the repository, where Git is installed",
        address=desired.reference,
        location=desired.location,
    )
