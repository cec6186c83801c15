"""Desired and live → plan. The one place that decides; plan, apply and drift all ask here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.address import Address
from reconciler.core.change import ActionReason, Create, Delete, NoOp, Update
from reconciler.core.connection import DEFAULT_IDENTITY_PROVIDER
from reconciler.core.diff import changed_fields, uncomparable_fields
from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.guards import check_deletes
from reconciler.core.matching import match_connections
from reconciler.core.plan import OrganizationPlan, Unmanaged
from reconciler.core.warnings import decision_warnings, jit_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from reconciler.core.change import Change, Decision
    from reconciler.core.connection import OidcConnection
    from reconciler.core.matching import Matching, Pair
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import DesiredConnection, DesiredOrganization, LiveOrganization


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the call asks for beyond the manifests.

    ``targets`` and ``rotate`` are address globs; no target means everything. ``secrets`` holds the
    value of each reference; a reference that is missing here is not compared, and with
    ``compares_secrets`` off there is none. ``today`` is what expiry dates are held against.
    """

    secrets: Mapping[SecretReference, Secret]
    targets: tuple[str, ...] = ()
    rotate: tuple[str, ...] = ()
    compares_secrets: bool = True
    today: date | None = None

    def is_targeted(self, address: Address) -> bool:
        """Whether this run is to change the address at all."""
        return not self.targets or any(address.matches(target) for target in self.targets)

    def rotates(self, address: Address) -> bool:
        """Whether the secret is to be sent even if it cannot be seen to differ."""
        return any(address.matches(pattern) for pattern in self.rotate)


def plan_organization(
    desired: DesiredOrganization, live: LiveOrganization, choices: Choices
) -> OrganizationPlan:
    """Plan one organization: all of its changes, or its errors and no change at all."""
    matching = match_connections(desired, live)
    if matching.diagnostics:
        return _refused(desired, live, matching.diagnostics)
    decided = [_decide(pair, live, choices) for pair in matching.pairs]
    if desired.prune:
        decided += [_pruned(one, desired, live) for one in matching.unmanaged]
    changes = _default_last(
        [one for one in decided if one and not isinstance(one, NoOp) and choices.is_targeted(one.address)],
        live.organization.default_connection_id,
    )
    errors = check_deletes(desired, live, changes)
    if errors:
        return _refused(desired, live, errors)
    return OrganizationPlan(
        reference=desired.reference,
        organization=live.organization,
        changes=changes,
        unmanaged=_unmanaged(desired, matching),
        managed=len(live.connections) if desired.prune else _count_live(matching),
        unchanged=sum(isinstance(one, NoOp) for one in decided),
        diagnostics=(
            *_warnings(decided, matching, choices),
            *jit_warnings(changes, live.organization),
        ),
    )


def unreadable(desired: DesiredOrganization, error: Exception) -> OrganizationPlan:
    """Return the plan of an organization of which nothing is known but the error."""
    found = Diagnostic(
        Severity.ERROR,
        "organization-not-read",
        f"organization {desired.reference} cannot be planned: {error}",
        detail="nothing of it is planned; the others are not affected",
        address=desired.reference,
        location=desired.location,
    )
    return OrganizationPlan(reference=desired.reference, diagnostics=(found,))


def _refused(
    desired: DesiredOrganization, live: LiveOrganization, errors: tuple[Diagnostic, ...]
) -> OrganizationPlan:
    return OrganizationPlan(
        reference=desired.reference,
        organization=live.organization,
        managed=len(desired.connections),
        diagnostics=errors,
    )


def _decide(pair: Pair, live: LiveOrganization, choices: Choices) -> Decision | None:
    desired, found = pair.desired, pair.live
    organization_id = live.organization.organization_id
    if desired.is_absent:
        return None if found is None else _buried(desired, found, organization_id)
    if found is None:
        return Create(
            address=desired.address,
            organization_id=organization_id,
            declared=_to_create(desired.connection),
            same_name_ids=_same_name_ids(desired, live),
            location=desired.location,
        )
    return _compare(desired, found, live, choices)


def _compare(
    desired: DesiredConnection, live: OidcConnection, organization: LiveOrganization, choices: Choices
) -> Create | Update | NoOp:
    organization_id = organization.organization.organization_id
    declared = _respecting_ignored(desired, live)
    if not choices.compares_secrets:
        declared = declared.without_secret()  # what was not compared is neither sent nor judged later
    changed = changed_fields(declared, live, choices.secrets)
    uncomparable = uncomparable_fields(declared, live, choices.secrets)
    if uncomparable and choices.rotates(desired.address):
        changed, uncomparable = (*changed, *uncomparable), ()
    if not changed:
        return NoOp(
            address=desired.address,
            organization_id=organization_id,
            connection_id=live.connection_id or "",
            uncomparable=uncomparable,
        )
    if _is_interrupted_create(desired, live):
        return Create(
            address=desired.address,
            organization_id=organization_id,
            declared=_to_create(desired.connection),
            resumes=live.without_secret(),
            same_name_ids=_same_name_ids(desired, organization, live.connection_id),
            location=desired.location,
        )
    return Update(
        address=desired.address,
        organization_id=organization_id,
        declared=_without_pin(declared),
        before=live.without_secret(),
        changed=changed,
        uncomparable=uncomparable,
        location=desired.location,
    )


def _same_name_ids(
    desired: DesiredConnection, live: LiveOrganization, except_id: str | None = None
) -> tuple[str, ...]:
    """Return the ids of live connections of the declared name; matching has found them to be others."""
    name = desired.connection.display_name
    found = (one.connection_id or "" for one in live.connections if one.display_name == name)
    return tuple(sorted(one for one in found if one != except_id))


def _is_interrupted_create(desired: DesiredConnection, live: OidcConnection) -> bool:
    """Whether this is what a create of the declared connection, under its present name, left behind."""
    is_pinned = desired.connection.connection_id is not None
    return live.is_unconfigured and not is_pinned and live.display_name == desired.connection.display_name


def _respecting_ignored(desired: DesiredConnection, live: OidcConnection) -> OidcConnection:
    """Take the live values of ignored fields as the declared ones.

    So they never differ, and an ignored URL still travels with a new issuer, without which the
    server would infer it anew (rule C6). An ignored secret is not declared at all.
    """
    if not desired.lifecycle.ignore_changes:
        return desired.connection
    kept = {
        name: None if name == "client_secret" else getattr(live, name) or None
        for name in desired.lifecycle.ignore_changes
        if getattr(desired.connection, name) is not None
    }
    return replace(desired.connection, **kept)


def _default_last(changes: Iterable[Change], default_connection_id: str) -> tuple[Change, ...]:
    def is_delete_of_default(change: Change) -> bool:
        return isinstance(change, Delete) and change.before.connection_id == default_connection_id

    return tuple(sorted(changes, key=is_delete_of_default))


def _buried(desired: DesiredConnection, live: OidcConnection, organization_id: str) -> Delete:
    return Delete(
        address=desired.address,
        organization_id=organization_id,
        before=live.without_secret(),
        reason=ActionReason.DECLARED_ABSENT,
        location=desired.location,
    )


def _pruned(live: OidcConnection, desired: DesiredOrganization, organization: LiveOrganization) -> Delete:
    return Delete(
        address=Address(desired.reference, live.connection_id or ""),
        organization_id=organization.organization.organization_id,
        before=live.without_secret(),
        reason=ActionReason.NOT_DECLARED,
        location=desired.location,
    )


def _unmanaged(desired: DesiredOrganization, matching: Matching) -> tuple[Unmanaged, ...]:
    if desired.prune:
        return ()
    return tuple(Unmanaged(desired.reference, one.without_secret()) for one in matching.unmanaged)


def _to_create(connection: OidcConnection) -> OidcConnection:
    """Return what is sent to create it: the provider is shown and sent even if it is the default."""
    provider = connection.identity_provider or DEFAULT_IDENTITY_PROVIDER
    return replace(connection, connection_id=None, identity_provider=provider)


def _without_pin(connection: OidcConnection) -> OidcConnection:
    return replace(connection, connection_id=None) if connection.connection_id else connection


def _count_live(matching: Matching) -> int:
    return sum(pair.live is not None for pair in matching.pairs)


def _warnings(
    decided: Iterable[Decision | None], matching: Matching, choices: Choices
) -> Iterable[Diagnostic]:
    for decision, pair in zip(decided, matching.pairs, strict=False):
        if choices.is_targeted(pair.desired.address):
            yield from decision_warnings(pair.desired, decision, choices.today)
