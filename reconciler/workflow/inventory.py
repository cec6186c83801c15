"""Reads the inventory: what is declared and what is live, for `list` and `output`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.address import Address
from reconciler.core.errors import (
    LIST_ALL,
    OrganizationNotFound,
    ProviderError,
    SourceLocation,
    UsageError,
    did_you_mean,
    shell_word,
)
from reconciler.core.inventory import Inventory, InventoryItem, organization_inventory
from reconciler.core.planner import unreadable
from reconciler.core.state import DesiredOrganization
from reconciler.workflow.live_state import find_organizations, read_organizations

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.core.errors import Diagnostic
    from reconciler.core.run_selection import Limits
    from reconciler.core.state import Organization
    from reconciler.manifests import Loaded
    from reconciler.providers.base import Directory
    from reconciler.workflow.live_state import Progress

_NO_MANIFESTS: Final = "no-manifests"


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryRequest:
    """Which organizations to list. Without ``references``: all declared ones; ``all_`` adds every other."""

    references: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    all_: bool = False


async def read_inventory(
    request: InventoryRequest, loaded: Loaded, directory: Directory, *, limits: Limits, progress: Progress
) -> Inventory:
    """Return the connections of the requested organizations.

    Raises:
        UsageError: an organization does not exist, or a target matches nothing.
        AccessDenied: the credentials are not accepted.
    """
    wanted = [*_declared(request, loaded.state.organizations)]
    organizations = await find_organizations(wanted, directory)
    if request.all_:
        declared = _names(loaded.state.organizations)
        known = {item.organization_id for item in organizations if not isinstance(item, ProviderError)}
        async for organization in directory.list_organizations():
            if organization.organization_id not in known:
                wanted.append(_declaration(organization, declared))
                organizations.append(organization)
    live = await read_organizations(
        organizations, directory, concurrency=limits.concurrency, progress=progress
    )
    items: list[InventoryItem] = []
    diagnostics = [*_manifest_findings(request, loaded)]
    for desired, state in zip(wanted, live, strict=True):
        if isinstance(state, OrganizationNotFound) and desired.reference in request.references:
            raise _no_such_organization(desired.reference, loaded)
        if isinstance(state, ProviderError):
            diagnostics += unreadable(desired, state).diagnostics
        else:
            inventory = organization_inventory(desired, state)
            items += inventory.items
            diagnostics += inventory.diagnostics
    return Inventory(
        items=_targeted(items, request.targets), organizations=len(wanted), diagnostics=tuple(diagnostics)
    )


def find_item(inventory: Inventory, address: str) -> InventoryItem:
    """Return the connection with this address, or with this ID in place of its name.

    Raises:
        UsageError: there is none; the message suggests the nearest address.
    """
    for item in inventory.items:
        organization = item.address.partition("/")[0]
        if address in {item.address, f"{organization}/{item.connection.connection_id}"}:
            return item
    raise no_such_connection(address, [item.address for item in inventory.items])


def _declared(
    request: InventoryRequest, organizations: Sequence[DesiredOrganization]
) -> list[DesiredOrganization]:
    """Return the requested organizations; those that no manifest declares have no connections there."""
    if not request.references:
        return list(organizations)
    names = _names(organizations)
    return list(
        {
            organization.reference: organization
            for reference in request.references
            for organization in [names.get(reference) or _undeclared(reference)]
        }.values()
    )


def _names(organizations: Sequence[DesiredOrganization]) -> dict[str, DesiredOrganization]:
    return {name: organization for organization in organizations for name in organization.names}


def _declaration(
    organization: Organization, declared: Mapping[str, DesiredOrganization]
) -> DesiredOrganization:
    """Return what a manifest declares of a live organization, by whichever of its names."""
    known = (declared[name] for name in sorted(organization.names) if name in declared)
    return next(known, _undeclared(organization.label))


def _undeclared(reference: str) -> DesiredOrganization:
    return DesiredOrganization(reference=reference, location=SourceLocation(""))


def _manifest_findings(request: InventoryRequest, loaded: Loaded) -> list[Diagnostic]:
    """Return the findings about manifests; none are needed to look at what is live."""
    is_needed = not (request.all_ or request.references)
    return [finding for finding in loaded.diagnostics if is_needed or finding.code != _NO_MANIFESTS]


def _targeted(items: Sequence[InventoryItem], targets: Collection[str]) -> tuple[InventoryItem, ...]:
    for target in targets:
        if not any(_matches(item, target) for item in items):
            hint = did_you_mean(target, [item.address for item in items], LIST_ALL)
            raise UsageError(f"no connection matches {target!r}: {hint}")
    return tuple(item for item in items if not targets or any(_matches(item, target) for target in targets))


def _matches(item: InventoryItem, target: str) -> bool:
    return Address(*item.address.split("/", 1)).matches(target)


def _no_such_organization(reference: str, loaded: Loaded) -> UsageError:
    declared = [organization.reference for organization in loaded.state.organizations]
    hint = did_you_mean(reference, declared, LIST_ALL)
    return UsageError(f"organization {reference!r} does not exist in this project: {hint}")


def no_such_connection(address: str, addresses: Sequence[str]) -> UsageError:
    """Return the error about an address that no connection has, with the most similar one."""
    remedy = f"`reconciler list {shell_word(address.partition('/')[0])}` lists all"
    return UsageError(
        f"no connection has the address {address!r}: {did_you_mean(address, addresses, remedy)}"
    )
