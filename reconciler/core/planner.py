"""Plans one organization by comparing its desired state with its live state.

This is the only place that decides; plan, apply and drift all use it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.address import Address
from reconciler.core.change import ActionReason, Create, Delete, NoOp, Update
from reconciler.core.connection import DEFAULT_IDENTITY_PROVIDER, INFERRED_FIELDS
from reconciler.core.default_connection import after_default, plan_default, with_default
from reconciler.core.diff import changed_fields, uncomparable_fields
from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.guards import check_deletes, withhold_deletes
from reconciler.core.matching import match_connections
from reconciler.core.plan import IgnoredDifference, Managed, Missing, OrganizationPlan, Unmanaged
from reconciler.core.state import DesiredConnection
from reconciler.core.warnings import decision_warnings, gone_warnings, jit_warnings, leftover_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from reconciler.core.change import Change, Decision
    from reconciler.core.connection import OidcConnection
    from reconciler.core.matching import Matching, Pair
    from reconciler.core.secret import Secret, SecretReference
    from reconciler.core.state import DesiredOrganization, LiveOrganization


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The options of a run that the planner needs.

    ``targets`` and ``rotate`` are address globs; no target means everything. ``secrets`` holds the
    value of each reference; a reference without a value is not compared, and with ``compares_secrets``
    off there are none. With ``reports_missing``, a pinned connection that is not live is missing, and no
    error; with ``keeps_live``, the plan keeps the managed connections as they are. `drift` needs both.
    ``deletes_withheld`` says why nothing may be deleted, and is empty if it may.
    ``today`` is the date that expiry dates are compared with.
    """

    secrets: Mapping[SecretReference, Secret]
    targets: tuple[str, ...] = ()
    rotate: tuple[str, ...] = ()
    compares_secrets: bool = True
    reports_missing: bool = False
    keeps_live: bool = False
    deletes_withheld: str = ""
    today: date | None = None

    def is_targeted(self, address: Address) -> bool:
        """Whether this run may change the address."""
        return not self.targets or any(address.matches(target) for target in self.targets)

    def rotates(self, address: Address) -> bool:
        """Whether the secret is to be sent even if it cannot be compared."""
        return any(address.matches(pattern) for pattern in self.rotate)


def plan_organization(
    desired: DesiredOrganization, live: LiveOrganization, choices: Choices
) -> OrganizationPlan:
    """Plan one organization: all of its changes, or its errors and no change at all."""
    matching = _without_missing(match_connections(desired, live), choices)
    if matching.diagnostics:
        return _refused(desired, live, matching.diagnostics)
    decisions = [_decide(pair, live, choices) for pair in matching.pairs]
    if desired.prune:
        deletes = [_delete(connection, live, desired, choices) for connection in matching.unmanaged]
        decisions += [_with_reason(delete, matching) for delete in deletes]
    changes = _select_changes(decisions, live, choices)
    default, default_warnings = plan_default(matching.pairs, live, changes, choices.is_targeted)
    unmanaged = () if desired.prune else matching.unmanaged
    if errors := check_deletes(desired, after_default(live, default), changes):
        return _refused(desired, live, (*errors, *default_warnings))
    changes, withheld = withhold_deletes(desired, with_default(changes, default), choices.deletes_withheld)
    return OrganizationPlan(
        reference=desired.reference,
        organization=live.organization,
        changes=changes,
        unmanaged=tuple(
            Unmanaged(
                desired.reference,
                connection.masked(choices.secrets.values()),
                live.organization.organization_id,
            )
            for connection in unmanaged
        ),
        live=tuple(_managed(matching.pairs, live, choices)) if choices.keeps_live else (),
        missing=tuple(_missing(matching, live, choices)),
        managed=_managed_count(desired, live, matching),
        ignored=tuple(_ignored_differences(matching.pairs, choices)),
        unchanged=sum(isinstance(decision, NoOp) for decision in decisions),
        diagnostics=(
            *withheld,
            *_warnings(decisions, matching, choices),
            *gone_warnings(_not_live(matching.left_alone, choices)),
            *(() if desired.prune else leftover_warnings(matching.leftovers)),
            *jit_warnings(changes, live.organization),
            *default_warnings,
        ),
    )


def _managed_count(desired: DesiredOrganization, live: LiveOrganization, matching: Matching) -> int:
    """Return how many live connections a plan may change or delete, which limits on deletes refer to."""
    if desired.prune:
        return len(live.connections) - sum(pair.live is not None for pair in matching.left_alone)
    return sum(pair.live is not None for pair in matching.pairs)


def _without_missing(matching: Matching, choices: Choices) -> Matching:
    """Return the matching without what is missing, if that is to be reported instead of refused."""
    if not choices.reports_missing:
        return replace(matching, missing=())
    missing = {desired.address for desired in matching.missing}
    names = {str(address) for address in missing}
    return replace(
        matching,
        pairs=tuple(pair for pair in matching.pairs if pair.desired.address not in missing),
        diagnostics=tuple(error for error in matching.diagnostics if error.address not in names),
    )


def _missing(matching: Matching, live: LiveOrganization, choices: Choices) -> Iterator[Missing]:
    for desired in matching.missing:
        if choices.is_targeted(desired.address):
            yield Missing(
                address=desired.address,
                organization_id=live.organization.organization_id,
                connection_id=desired.connection.connection_id or "",
                location=desired.location,
            )


def _managed(pairs: Iterable[Pair], live: LiveOrganization, choices: Choices) -> Iterator[Managed]:
    """Yield the live connections that are declared to exist, as far as the run covers them."""
    for pair in pairs:
        if pair.live is not None and not pair.desired.is_absent and choices.is_targeted(pair.desired.address):
            yield Managed(
                address=pair.desired.address,
                organization_id=live.organization.organization_id,
                connection=pair.live.without_secret(),
                location=pair.desired.location,
            )


def unreadable(desired: DesiredOrganization, error: Exception) -> OrganizationPlan:
    """Return the plan of an organization that could not be read."""
    diagnostic = Diagnostic(
        Severity.ERROR,
        "organization-not-read",
        f"organization {desired.reference} cannot be planned: {error}",
        detail="skipped; other organizations are unaffected",
        address=desired.reference,
        location=desired.location,
    )
    return OrganizationPlan(reference=desired.reference, diagnostics=(diagnostic,))


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
    """Return what to do with a declared connection; None if it is declared absent and does not exist."""
    if pair.desired.is_absent:
        return _delete(pair.live, live, pair.desired, choices) if pair.live else None
    if pair.live is None:
        return _create(pair.desired, live)
    return _compare(pair.desired, pair.live, live, choices)


def _create(
    desired: DesiredConnection, live: LiveOrganization, resumes: OidcConnection | None = None
) -> Create:
    """Create a connection, or complete the one that an interrupted create left behind."""
    declared = desired.connection
    same_name = (
        connection.connection_id or ""
        for connection in live.connections
        if connection.display_name == declared.display_name
        and (resumes is None or connection.connection_id != resumes.connection_id)
    )
    return Create(
        address=desired.address,
        organization_id=live.organization.organization_id,
        declared=replace(
            declared,
            connection_id=None,
            identity_provider=declared.identity_provider or DEFAULT_IDENTITY_PROVIDER,  # shown and sent
        ),
        resumes=resumes and resumes.masked(),
        same_name_ids=tuple(sorted(same_name)),  # matching has found them to be others
        published=desired.published,
        enforced=desired.enforced,
        location=desired.location,
    )


def _compare(
    desired: DesiredConnection, current: OidcConnection, live: LiveOrganization, choices: Choices
) -> Create | Update | NoOp:
    declared = _with_ignored_fields(desired, current)
    is_rotated = choices.rotates(desired.address)
    if not choices.compares_secrets and not is_rotated:
        declared = declared.without_secret()  # what was not compared is neither sent nor judged later
    changed = changed_fields(declared, current, choices.secrets)
    uncomparable = uncomparable_fields(declared, current, choices.secrets, resolved=choices.compares_secrets)
    if uncomparable and is_rotated:
        changed, uncomparable = (*changed, *uncomparable), ()
    if not changed:
        return NoOp(
            address=desired.address,
            organization_id=live.organization.organization_id,
            connection_id=current.connection_id or "",
            uncomparable=uncomparable,
        )
    if _is_interrupted_create(desired, current):
        return _create(desired, live, resumes=current)
    return Update(
        address=desired.address,
        organization_id=live.organization.organization_id,
        declared=replace(declared, connection_id=None),
        before=current.masked(choices.secrets.values()),
        changed=changed,
        uncomparable=uncomparable,
        published=desired.published,
        enforced=desired.enforced,
        location=desired.location,
    )


def _is_interrupted_create(desired: DesiredConnection, current: OidcConnection) -> bool:
    """Whether an interrupted create of the declared connection, by its present name, left this behind."""
    is_pinned = desired.connection.connection_id is not None
    has_name = current.display_name == desired.connection.display_name
    return current.is_unconfigured and has_name and not is_pinned


def _with_ignored_fields(desired: DesiredConnection, live: OidcConnection) -> OidcConnection:
    """Return the declared fields with the live values of ignored ones.

    So they never differ, and an ignored URL, declared or not, is sent along with a new issuer, or the
    server would infer it again (rule C6). An ignored secret is not declared at all.
    """
    declared, ignored = desired.connection, desired.lifecycle.ignore_changes
    moves = "issuer" not in ignored and declared.issuer not in {None, live.issuer}
    kept = {
        name: None if name == "client_secret" else getattr(live, name) or None
        for name in ignored
        if getattr(declared, name) is not None or (moves and name in INFERRED_FIELDS)
    }
    return replace(declared, **kept)


def _ignored_differences(pairs: Iterable[Pair], choices: Choices) -> Iterator[IgnoredDifference]:
    """Yield the declared attributes that differ, and are ignored. Ignored secrets are not resolved."""
    for pair in pairs:
        desired, live = pair.desired, pair.live
        ignored = desired.lifecycle.ignore_changes
        if not ignored or live is None or desired.is_absent or not choices.is_targeted(desired.address):
            continue
        changed = changed_fields(desired.connection.without_secret(), live, {})
        if differing := tuple(name for name in changed if name in ignored):
            yield IgnoredDifference(address=desired.address, attributes=differing)


def _select_changes(
    decisions: Iterable[Decision | None], live: LiveOrganization, choices: Choices
) -> tuple[Change, ...]:
    """Return the changes of targeted addresses; the default connection is deleted last."""

    def is_delete_of_default(change: Change) -> bool:
        default = live.organization.default_connection_id
        return isinstance(change, Delete) and change.before.connection_id == default

    changes = (decision for decision in decisions if decision is not None and not isinstance(decision, NoOp))
    targeted = (change for change in changes if choices.is_targeted(change.address))
    return tuple(sorted(targeted, key=is_delete_of_default))


def _with_reason(delete: Delete, matching: Matching) -> Delete:
    """Return the delete of an undeclared connection with its reason: some are leftovers."""
    is_leftover = delete.before.connection_id in matching.leftovers
    return replace(delete, reason=ActionReason.LEFTOVER) if is_leftover else delete


def _delete(
    current: OidcConnection,
    live: LiveOrganization,
    block: DesiredConnection | DesiredOrganization,
    choices: Choices,
) -> Delete:
    """Delete what a connection's block declares absent, or what an organization's block does not declare."""
    if isinstance(block, DesiredConnection):
        address, reason = block.address, ActionReason.DECLARED_ABSENT
    else:
        address, reason = Address(block.reference, current.connection_id or ""), ActionReason.NOT_DECLARED
    return Delete(
        address=address,
        organization_id=live.organization.organization_id,
        before=current.masked(choices.secrets.values()),
        reason=reason,
        location=block.location,
    )


def _not_live(pairs: Iterable[Pair], choices: Choices) -> Iterator[DesiredConnection]:
    """Yield the declarations without a live connection, as far as the run covers them."""
    for pair in pairs:
        if pair.live is None and choices.is_targeted(pair.desired.address):
            yield pair.desired


def _warnings(
    decisions: Iterable[Decision | None], matching: Matching, choices: Choices
) -> Iterable[Diagnostic]:
    for decision, pair in zip(decisions, matching.pairs, strict=False):
        if choices.is_targeted(pair.desired.address):
            yield from decision_warnings(pair.desired, decision, choices.today, pair.live)
