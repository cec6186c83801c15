"""Addresses: ``organization/connection``, the name of a connection in manifests, options and reports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """The organization as written in the manifest, and the connection's key there."""

    organization: str
    connection: str

    def __str__(self) -> str:
        """Return ``organization/connection``."""
        return f"{self.organization}/{self.connection}"

    def matches(self, pattern: str) -> bool:
        """Tell whether a glob such as ``acme/*`` matches this address.

        A pattern without a slash matches all connections of the organization.
        """
        organization, slash, connection = pattern.partition("/")
        is_organization = _compiled(organization).match(self.organization) is not None
        return is_organization and (not slash or _compiled(connection).match(self.connection) is not None)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
