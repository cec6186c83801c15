"""The shape of a risk rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.core.change import Change

Find: TypeAlias = "Callable[[Change], Iterable[str]]"
"""Yields a clause for each risk of a change; the address is put before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: its id, as the project file names it, what it finds, and why that matters."""

    id: str
    find: Find
    why: str
