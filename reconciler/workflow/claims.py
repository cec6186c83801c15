"""Which document of a run was the first to declare an organization, by whatever name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.state import DesiredOrganization

if TYPE_CHECKING:
    from reconciler.core.errors import SourceLocation
    from reconciler.core.state import Organization


class Claims:
    """Remembers all documents in their order; it is all that remains of them, so it is kept small.

    A document is known by its location: by that very object, which is there anyway.
    """

    def __init__(self) -> None:
        self._references: list[str] = []
        self._locations: list[SourceLocation] = []
        self._first: dict[str, SourceLocation] = {}

    def add(self, desired: DesiredOrganization) -> int:
        """Take note of the next document; return its number, from 0."""
        self._references.append(desired.reference)
        self._locations.append(desired.location)
        return len(self._references) - 1

    def first(self, index: int, organization: Organization) -> int:
        """Claim an organization for a document; return the number of the first that claimed it."""
        reference, key = self._references[index], organization.organization_id
        mine = self._locations[index]
        first = self._first.setdefault(reference if reference == key else key, mine)
        if first is mine:
            return index
        return next(number for number, one in enumerate(self._locations) if one is first)

    def document(self, index: int) -> DesiredOrganization:
        """Return what is remembered of a document."""
        return DesiredOrganization(reference=self._references[index], location=self._locations[index])
