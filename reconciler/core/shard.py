"""Shards: which organizations each of several parallel runs plans."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` shards; ``index`` counts from 1.

    Raises:
        ValueError: there is no such shard.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        """Refuse a shard that does not exist."""
        if not 1 <= self.index <= self.count:
            raise ValueError(f"there is no shard {self.index} of {self.count}")

    def __str__(self) -> str:
        """Return ``index/count``, as written on the command line."""
        return f"{self.index}/{self.count}"

    def holds(self, organization: str) -> bool:
        """Tell whether an organization, by the name in its manifest, belongs to this shard.

        The SHA-256 of the name decides, so that adding or removing a manifest moves no other
        organization to another shard.
        """
        digest = hashlib.sha256(organization.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeInfo:
    """What the plan of a shard records so that the plans of all shards can be merged.

    ``positions`` are the positions of its organizations among all declared ones. The first
    ``manifest_warnings`` of its diagnostics are about manifests; the others come from planning.
    """

    shard: Shard
    positions: Mapping[str, int] = field(default_factory=dict)
    manifest_warnings: int = 0
