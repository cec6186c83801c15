"""How much one file may ask of the reader."""

from __future__ import annotations

from typing import NamedTuple


class ReadLimits(NamedTuple):
    """Bounds for hostile input, per file. ``max_nodes`` counts what aliases expand to."""

    max_bytes: int = 1024 * 1024
    max_depth: int = 16
    max_aliases: int = 1_000
    max_nodes: int = 200_000
