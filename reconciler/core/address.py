"""Addresses: ``organization/connection``, the name of a connection in manifests, options and reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final

_GLOB_CHARACTER: Final = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """The organization as written in the manifest, and the connection's key there."""

    organization: str
    connection: str

    def __str__(self) -> str:
        """Return ``organization/connection``, or the organization alone where no connection is meant."""
        if not self.connection:
            return self.organization
        return f"{self.organization}/{self.connection}"

    @property
    def pattern(self) -> str:
        """The glob that matches this address and no other one."""
        return _GLOB_CHARACTER.sub(r"[\g<0>]", str(self))

    @property
    def is_organization(self) -> bool:
        """Whether this is an organization, and no connection of it."""
        return not self.connection

    def matches(self, pattern: str) -> bool:
        """Tell whether a glob such as ``acme/*`` matches this address.

        A pattern without a slash matches all connections of the organization, and any pattern of the
        organization matches the organization itself.
        """
        organization, slash, connection = pattern.partition("/")
        is_organization = _compiled(organization).match(self.organization) is not None
        return is_organization and (
            not slash or self.is_organization or _compiled(connection).match(self.connection) is not None
        )


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
