"""Tells the collector of cycles what need not be looked through again and again."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_THRESHOLDS: Final = (10_000, 20, 20)
"""Objects between two collections, and how many of those make an older one; by default 700, 10, 10."""


@contextmanager
def rare_collection() -> Iterator[None]:
    """Leave out what is imported, and collect more rarely.

    Manifests and answers make many values and no cycles: looking for some took a fifth of the CPU
    time of a plan of 10,000 connections.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
