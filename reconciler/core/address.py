"""Addresses: ``organization/connection``, the name by which people and machines mean one connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """The organization as the manifest writes it, and the connection's stable name."""

    organization: str
    connection: str

    def __str__(self) -> str:
        """Return ``organization/connection``."""
        return f"{self.organization}/{self.connection}"

    def matches(self, pattern: str) -> bool:
        """Tell whether a glob such as ``acme/*`` means this address.

        A pattern without a slash means the organization with all its connections.
        """
        organization, slash, connection = pattern.partition("/")
        if not slash:
            connection = "*"
        return _matches(organization, self.organization) and _matches(connection, self.connection)


def _matches(pattern: str, name: str) -> bool:
    return _compiled(pattern).match(name) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
