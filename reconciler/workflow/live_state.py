"""Finds the organizations of a run, and reads their connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from reconciler.core.errors import AccessDenied, ProviderError, ReconcilerError
from reconciler.core.state import LiveOrganization, Organization

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from reconciler.core.state import DesiredOrganization
    from reconciler.providers.base import Reader

Item = TypeVar("Item")
Result = TypeVar("Result")

FoundOrganization: TypeAlias = Organization | ProviderError
LiveState: TypeAlias = LiveOrganization | ProviderError


class Progress(Protocol):
    """Shows how many organizations have been read."""

    def advanced(self, done: int) -> None:
        """Show that ``done`` organizations have been read so far."""


class PinMismatch(ProviderError):
    """A name leads to an organization that the manifest is not pinned to."""


async def find_organizations(
    manifests: Sequence[DesiredOrganization], reader: Reader, others: Sequence[DesiredOrganization] = ()
) -> list[FoundOrganization]:
    """Return for each manifest its organization, or why it cannot be planned. They are found in bulk.

    ``others`` are not planned, but a manifest is refused if one of them declares its organization, too.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    if not manifests:
        return []
    declared = (*manifests, *others)
    results = await reader.find_organizations([*dict.fromkeys(manifest.reference for manifest in declared)])
    organizations = [
        _check_pin(manifest, results[manifest.reference])
        if index < len(manifests)
        else results[manifest.reference]
        for index, manifest in enumerate(declared)
    ]
    return _refuse_duplicates(declared, organizations)[: len(manifests)]


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
        f"{manifest.organization_id}; the name may now belong to another customer: correct "
        "`organization`, or the pin"
    )


def _refuse_duplicates(
    manifests: Sequence[DesiredOrganization], organizations: Sequence[FoundOrganization]
) -> list[FoundOrganization]:
    """Refuse manifests that declare the same organization under different names, or in different files."""
    checked = list(organizations)
    first_manifest: dict[str, int] = {}
    for index, organization in enumerate(organizations):
        if isinstance(organization, ProviderError):
            continue
        first = first_manifest.setdefault(organization.organization_id, index)
        if first != index and not _is_earlier_version(manifests[index], manifests[first]):
            checked[first] = _declared_twice(organization, manifests[index])
            checked[index] = _declared_twice(organization, manifests[first])
    return checked


def _is_earlier_version(manifest: DesiredOrganization, current: DesiredOrganization) -> bool:
    """Whether a manifest is what the file of another one declared in Git."""
    return bool(manifest.commit) and manifest.location.path == current.location.path


def _declared_twice(organization: Organization, duplicate: DesiredOrganization) -> ProviderError:
    remedy = "put all connections of an organization into one document"
    if duplicate.commit:
        remedy = f"{duplicate.location.path} has errors now: correct it first, and {remedy}"
    return ProviderError(
        f"it is {organization.organization_id}, and so is {duplicate.reference!r} at {duplicate.origin}; "
        f"{remedy}"
    )


async def gather_bounded(
    work: Callable[[Item], Awaitable[Result]], items: Sequence[Item], *, concurrency: int
) -> list[Result]:
    """Return the result of ``work`` for every item, in their order; at most ``concurrency`` run at once.

    Raises:
        ReconcilerError: the first one that ``work`` raises; everything else is cancelled.
    """
    results: dict[int, Result] = {}
    waiting = iter(enumerate(items))

    async def take_items() -> None:
        for index, item in waiting:
            results[index] = await work(item)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(concurrency, len(items))):
                tasks.create_task(take_items())
    except BaseExceptionGroup as group:  # with `except*`, Python 3.11.2 raises a group again
        errors, others = group.split(ReconcilerError)
        if errors is None or others is not None:
            raise
        raise _first(errors) from None
    return [results[index] for index in range(len(items))]


def _first(errors: BaseExceptionGroup[ReconcilerError]) -> ReconcilerError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ReconcilerError)
    return error
