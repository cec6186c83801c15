"""Finds the organizations of a run, and reads their connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from reconciler.core.errors import AccessDenied, ProviderError
from reconciler.core.state import LiveOrganization, Organization
from reconciler.workflow.parallel import gather_bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.state import DesiredOrganization
    from reconciler.providers.base import Reader

FoundOrganization: TypeAlias = Organization | ProviderError
LiveState: TypeAlias = LiveOrganization | ProviderError


class Progress(Protocol):
    """Shows how many organizations have been read."""

    def advanced(self, done: int) -> None:
        """Show that ``done`` organizations have been read so far."""
        ...


class PinMismatch(ProviderError):
    """A name leads to an organization that the manifest is not pinned to."""


async def find_organizations(
    manifests: Sequence[DesiredOrganization], reader: Reader
) -> list[FoundOrganization]:
    """Return for each manifest its organization, or why it cannot be planned. They are found in bulk.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    if not manifests:
        return []
    found = await reader.find_organizations([manifest.reference for manifest in manifests])
    organizations = [_check_pin(manifest, found[manifest.reference]) for manifest in manifests]
    return _refuse_duplicates(manifests, organizations)


async def read_organizations(
    organizations: Sequence[FoundOrganization], reader: Reader, *, concurrency: int, progress: Progress
) -> list[LiveState]:
    """Return the live state of each organization, or why it cannot be planned.

    Raises:
        AccessDenied: the credentials are not accepted; no other organization would be read either.
    """
    done = 0

    async def read(organization: FoundOrganization) -> LiveState:
        nonlocal done
        live = await read_organization(organization, reader)
        done += 1
        progress.advanced(done)
        return live

    return await gather_bounded(read, organizations, concurrency=concurrency)


async def read_organization(organization: FoundOrganization, reader: Reader) -> LiveState:
    """Return the live state of an organization, or why it cannot be read.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    if isinstance(organization, ProviderError):
        return organization
    try:
        return await reader.read_organization(organization)
    except AccessDenied:
        raise
    except ProviderError as error:
        return error


def _check_pin(manifest: DesiredOrganization, organization: FoundOrganization) -> FoundOrganization:
    if isinstance(organization, ProviderError):
        return organization
    if manifest.organization_id in {None, organization.organization_id}:
        return organization
    return _pin_mismatch(manifest, organization)


def _pin_mismatch(manifest: DesiredOrganization, organization: Organization) -> ProviderError:
    return PinMismatch(
        f"{manifest.reference!r} is {organization.organization_id} now, but the manifest is pinned to "
        f"{manifest.organization_id}; the name may belong to another customer by now: correct "
        "`organization`, or the pin"
    )


def _refuse_duplicates(
    manifests: Sequence[DesiredOrganization], organizations: Sequence[FoundOrganization]
) -> list[FoundOrganization]:
    """Refuse manifests that declare the same organization under different names."""
    checked = list(organizations)
    first_manifest: dict[str, int] = {}
    for index, organization in enumerate(organizations):
        if isinstance(organization, ProviderError):
            continue
        first = first_manifest.setdefault(organization.organization_id, index)
        if first != index:
            checked[first] = _declared_twice(organization, manifests[index])
            checked[index] = _declared_twice(organization, manifests[first])
    return checked


def _declared_twice(organization: Organization, duplicate: DesiredOrganization) -> ProviderError:
    return ProviderError(
        f"it is {organization.organization_id}, and so is {duplicate.reference!r} at {duplicate.location}; "
        "put all connections of an organization into one document"
    )
