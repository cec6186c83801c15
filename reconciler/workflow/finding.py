"""Finding organizations: those that are needed now, together with those that will be."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.errors import ProviderError
    from reconciler.core.state import Organization
    from reconciler.providers.base import Reader

AT_ONCE: Final = 1000
"""Organizations that one search of the API finds at most (its documented page limit)."""


class Finder:
    """Remembers what was said of organizations before they were needed, until then."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._foreseen: dict[str, None] = {}
        self._found: dict[str, Organization | ProviderError] = {}

    def foresee(self, references: Iterable[str]) -> None:
        """Take note of organizations that will probably be needed."""
        self._foreseen.update(dict.fromkeys(references))

    async def find(self, references: Sequence[str]) -> Mapping[str, Organization | ProviderError]:
        """Return for every reference its organization, or why there is none.

        Raises:
            AccessDenied: the credentials are not accepted.
        """
        for one in references:
            self._foreseen.pop(one, None)
        found = {one: self._found.pop(one) for one in references if one in self._found}
        missing = [one for one in references if one not in found]
        return {**found, **await self._search(missing)} if missing else found

    async def _search(self, missing: list[str]) -> Mapping[str, Organization | ProviderError]:
        guessed = list(islice(self._foreseen, max(AT_ONCE - len(missing), 0)))
        answers = await self._reader.find_organizations([*missing, *guessed])
        for one in guessed:
            del self._foreseen[one]
            self._found[one] = answers[one]
        return {one: answers[one] for one in missing}
