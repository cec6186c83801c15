"""Decides what the manifest of an organization takes over from live state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.change import Create, DefaultChange, Update
from reconciler.core.errors import Diagnostic, Severity
from reconciler.core.matching import match_connections
from reconciler.core.planner import Choices, plan_organization
from reconciler.manifests.editing import AddConnections, SetField
from reconciler.manifests.export import why_left_alone, why_value_undeclarable
from reconciler.workflow.existing_manifests import write_undeclared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.change import Change
    from reconciler.core.plan import OrganizationPlan
    from reconciler.core.state import DesiredConnection, DesiredOrganization, LiveOrganization
    from reconciler.manifests.editing import Edit
    from reconciler.manifests.export import ConnectionBlocks
    from reconciler.manifests.export_names import VariableNames

_DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """What is taken over: values of declared connections (``updates``), undeclared connections (``adds``).

    ``addresses`` are globs; without one, all manifests are meant.
    """

    addresses: tuple[str, ...] = ()
    updates: bool = True
    adds: bool = False

    def selects(self, address: Address) -> bool:
        """Whether an address is asked for."""
        return not self.addresses or any(address.matches(pattern) for pattern in self.addresses)

    def names(self, address: Address) -> bool:
        """Whether an address is asked for by its full name."""
        return str(address) in self.addresses


@dataclass(slots=True, kw_only=True)
class OrganizationUpdate:
    """What the manifest of an organization takes over.

    ``left`` names values that stay different. ``secrets`` counts the declared secrets: not compared.
    """

    manifest: DesiredOrganization
    live: LiveOrganization
    fields: list[SetField] = field(default_factory=list)
    blocks: ConnectionBlocks | None = None
    left: set[tuple[str, str]] = field(default_factory=set)
    secrets: int = 0
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def edits(self) -> list[Edit]:
        """All edits of the document."""
        lines = tuple(self.blocks.lines) if self.blocks is not None else ()
        return [*self.fields, *([AddConnections(self.manifest.location, lines)] if lines else [])]

    def leave(self, desired: DesiredConnection, name: str, reason: str, hint: str = "") -> None:
        """Note that a value stays as it is declared, although it differs."""
        self.left.add((str(desired.address), name))
        self.diagnostics.append(
            Diagnostic(
                Severity.WARNING,
                "not-updated",
                f"{name} of {desired.address} is left as it is: {reason}",
                hint=hint,
                address=str(desired.address),
                location=desired.location,
            )
        )


def decide_update(
    manifest: DesiredOrganization, live: LiveOrganization, request: UpdateRequest, names: VariableNames
) -> OrganizationUpdate:
    """Decide what the manifest of one organization takes over."""
    update = OrganizationUpdate(manifest=manifest, live=live)
    if request.updates:
        _take_values(update, request)
    if request.adds:
        _take_connections(update, request, names)
    return update


def _take_values(update: OrganizationUpdate, request: UpdateRequest) -> None:
    """Take over the live values of declared connections."""
    selected = [desired for desired in update.manifest.connections if request.selects(desired.address)]
    for desired in selected:
        if not desired.is_present and request.names(desired.address):
            update.leave(desired, "the block", f"it is declared with `state: {desired.presence.value}`")
    present = [desired for desired in selected if desired.is_present]
    update.secrets = sum(desired.connection.client_secret is not None for desired in present)
    plan = plan_selected(update.manifest, update.live, present)
    update.diagnostics += [finding for finding in plan.diagnostics if finding.is_error]
    by_address = {desired.address: desired for desired in update.manifest.connections}
    update.diagnostics += [_not_live(by_address[missing.address]) for missing in plan.missing]
    for change in plan.changes:
        _take_change(update, by_address, change, request)
    for difference in plan.ignored:
        for name in difference.attributes:
            update.leave(by_address[difference.address], name, "`ignore_changes` names it")


def _take_change(
    update: OrganizationUpdate,
    by_address: dict[Address, DesiredConnection],
    change: Change,
    request: UpdateRequest,
) -> None:
    match change:
        case Update():
            desired = by_address[change.address]
            current = update.live.connection(change.before.connection_id or "")
            assert current is not None
            for name in change.changed:
                if reason := why_value_undeclarable(name, current):
                    update.leave(desired, name, reason)
                else:
                    value = getattr(current, name)
                    update.fields.append(
                        SetField(update.manifest.location, change.address.connection, name, value)
                    )
        case Create():
            desired = by_address[change.address]
            is_error = request.names(change.address)
            update.diagnostics.append(_not_live(desired, Severity.ERROR if is_error else Severity.WARNING))
        case DefaultChange():
            desired = by_address[Address(change.address.organization, change.connection)]
            name = change.before_name or change.before_id or "none"
            hint = "move the line `default: true` to the connection that should be the default"
            update.leave(desired, _DEFAULT, f"the organization's default connection is {name}", hint)


def _take_connections(update: OrganizationUpdate, request: UpdateRequest, names: VariableNames) -> None:
    """Append the live connections that no block declares."""
    matching = match_connections(update.manifest, update.live)
    missing = {str(desired.address) for desired in matching.missing}
    if errors := [finding for finding in matching.diagnostics if finding.address not in missing]:
        update.diagnostics += [error for error in errors if error not in update.diagnostics]
        return
    reference = update.manifest.reference
    undeclared = [
        connection
        for connection in matching.unmanaged
        if request.selects(Address(reference, connection.connection_id or ""))
    ]
    for connection in undeclared:
        reason = why_left_alone(connection)
        if reason and request.names(Address(reference, connection.connection_id or "")):
            subject = f"{reference}/{connection.connection_id} is not added"
            update.diagnostics.append(not_added(update.manifest, subject, reason))
    update.blocks = write_undeclared(update.manifest, update.live, undeclared, names)


def not_added(manifest: DesiredOrganization, subject: str, reason: str, hint: str = "") -> Diagnostic:
    """Return the warning that live connections are not added to a manifest."""
    return Diagnostic(
        Severity.WARNING,
        "not-updated",
        f"{subject}: {reason}",
        hint=hint,
        address=manifest.reference,
        location=manifest.location,
    )


def plan_selected(
    manifest: DesiredOrganization, live: LiveOrganization, selected: Iterable[DesiredConnection]
) -> OrganizationPlan:
    """Return the plan of these connections, without secrets and without deletes."""
    targets = tuple(str(desired.address) for desired in selected)
    if not targets:
        return plan_organization(replace(manifest, connections=(), prune=False), live, Choices(secrets={}))
    choices = Choices(secrets={}, targets=targets, compares_secrets=False, reports_missing=True)
    return plan_organization(replace(manifest, prune=False), live, choices)


def _not_live(desired: DesiredConnection, severity: Severity = Severity.ERROR) -> Diagnostic:
    pin = desired.connection.connection_id
    return Diagnostic(
        severity,
        "nothing-live",
        f"{desired.address} does not exist{f' any more: {pin} is not live' if pin else ' yet'}, "
        "so nothing can be taken over",
        hint="`reconciler plan` shows what would be done",
        address=str(desired.address),
        location=desired.location,
    )
