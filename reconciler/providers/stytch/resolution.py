"""Resolves references (ids, slugs, external ids) to organizations, with as few requests as possible."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Protocol

from reconciler.core.errors import (
    AccessDenied,
    NotFound,
    OrganizationNotFound,
    OrganizationRefused,
    ProviderError,
    RequestRejected,
)
from reconciler.core.state import Organization

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence

_CHUNK: Final = 1000
"""References in one search: as many as one answer can hold."""

_WORKERS: Final = 32
"""Single look-ups under way; the rate limiter bounds them further."""

_ID: Final = "organization-"
_SLUG: Final = re.compile(r"[A-Za-z0-9._~-]{2,128}")

Entries = dict[str, "Organization | ProviderError"]


class Directory(Protocol):
    """The two ways of looking organizations up."""

    async def get_organization(self, reference: str) -> Organization:
        """Return one organization by its id, slug or external id."""

    def search_organizations(self, query: Mapping[str, Any]) -> AsyncGenerator[Organization, None]:
        """Yield the organizations that a query finds."""


async def resolve(
    references: Sequence[str], directory: Directory
) -> Mapping[str, Organization | ProviderError]:
    """Return for every reference its organization, or why there is none.

    One reference costs one call. Many cost a search per thousand, and one more call for each that
    the search cannot find: it knows ids and slugs, but no external ids. Where many are left over,
    a tenth of those calls is first spent on going through all organizations.

    Raises:
        AccessDenied: the credentials are not accepted.
    """
    wanted = tuple(dict.fromkeys(references))
    entries: Entries = {}
    if len(wanted) > 1:
        for query, chunk in _queries(wanted):
            await _search(query, chunk, directory, entries)
        await _search_all([name for name in wanted if name not in entries], directory, entries)
    await _look_up([name for name in wanted if name not in entries], directory, entries)
    return {name: entries[name] for name in wanted}


def _queries(wanted: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    ids = tuple(name for name in wanted if name.startswith(_ID))
    slugs = tuple(name for name in wanted if not name.startswith(_ID) and _SLUG.fullmatch(name))
    for filter_name, values in (("organization_ids", ids), ("organization_slugs", slugs)):
        for start in range(0, len(values), _CHUNK):
            chunk = values[start : start + _CHUNK]
            operand = {"filter_name": filter_name, "filter_value": list(chunk)}
            yield {"operator": "AND", "operands": [operand]}, chunk


async def _search(
    query: Mapping[str, Any], chunk: tuple[str, ...], directory: Directory, entries: Entries
) -> None:
    """Enter the organizations of one search; the rest is left to single look-ups, as when it is refused."""
    try:
        organizations = [organization async for organization in directory.search_organizations(query)]
    except AccessDenied:
        raise
    except (RequestRejected, NotFound, OrganizationRefused):
        return
    except ProviderError as error:
        entries.update(dict.fromkeys(chunk, error))
        return
    _enter(organizations, frozenset(chunk), entries)


async def _search_all(missing: list[str], directory: Directory, entries: Entries) -> None:
    """Look for many external ids by going through all organizations, while that saves calls.

    It may cost a tenth of the calls that looking each of them up would cost.
    """
    bound = len(missing) // 10 * _CHUNK
    if not bound:
        return
    wanted = frozenset(missing)
    try:
        async with aclosing(directory.search_organizations({})) as organizations:
            _enter(await _matching(organizations, wanted, bound), wanted, entries)
    except AccessDenied:
        raise
    except ProviderError:
        return  # the single look-ups report it


async def _matching(
    organizations: AsyncIterator[Organization], wanted: frozenset[str], bound: int
) -> list[Organization]:
    """Return those of the first ``bound`` organizations that are wanted; stop once all are found."""
    matching: list[Organization] = []
    remaining = set(wanted)
    async for organization in organizations:
        bound -= 1
        if not organization.names.isdisjoint(wanted):
            matching.append(organization)
            remaining -= organization.names
        if not remaining or not bound:
            break
    return matching


def _enter(organizations: Iterable[Organization], wanted: frozenset[str], entries: Entries) -> None:
    for organization in organizations:
        for reference in organization.names & wanted:
            known = entries.setdefault(reference, organization)
            if isinstance(known, Organization) and known.organization_id != organization.organization_id:
                entries[reference] = _ambiguous(reference, known, organization)


async def _look_up(references: list[str], directory: Directory, entries: Entries) -> None:
    remaining = iter(references)
    denied: list[AccessDenied] = []

    async def work() -> None:
        for reference in remaining:
            if denied:
                return
            try:
                entries[reference] = await _get(reference, directory)
            except AccessDenied as error:
                denied.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(_WORKERS, len(references))):
            group.create_task(work())
    if denied:
        raise denied[0]


async def _get(reference: str, directory: Directory) -> Organization | ProviderError:
    try:
        organization = await directory.get_organization(reference)
    except AccessDenied:
        raise
    except ProviderError as error:
        return error
    return organization if reference in organization.names else _inexact(reference, organization)


def _ambiguous(reference: str, first: Organization, second: Organization) -> ProviderError:
    return ProviderError(
        f"{reference!r} means two organizations, {first.organization_id!r} and {second.organization_id!r};"
        " write the organization_id"
    )


def _inexact(reference: str, organization: Organization) -> ProviderError:
    return OrganizationNotFound(
        f"no organization has exactly {reference!r} as its id, slug or external id;"
        f" the service answered with {organization.organization_id!r} (slug {organization.slug!r})"
    )
