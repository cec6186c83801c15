"""A risk rule: its id, what it finds in a change, why that matters, and how severe it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from reconciler.core.change import Create
from reconciler.core.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.core.change import ConnectionChange, Update
    from reconciler.core.codes import Code
    from reconciler.policies.estate import Estate

Find: TypeAlias = "Callable[[ConnectionChange, Estate], Iterable[Clause]]"


@dataclass(frozen=True, slots=True)
class Clause:
    """What a rule found: the field that it is about, and a clause that follows the address."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class ErrorCase:
    """The changes for which a rule that warns is an error by default, and how the pages name them."""

    applies: Callable[[ConnectionChange], bool]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule. The project file names it by ``id``; ``severity`` counts where it says nothing."""

    id: Code
    find: Find
    why: str
    severity: Severity = Severity.WARNING
    error_case: ErrorCase | None = None

    def severity_of(self, change: ConnectionChange) -> Severity:
        """Return how severe a finding about a change is by default."""
        if self.error_case is not None and self.error_case.applies(change):
            return Severity.ERROR
        return self.severity


def writes(change: Create | Update, *names: str) -> bool:
    """Tell whether a change writes any of the fields."""
    return isinstance(change, Create) or not set(names).isdisjoint(change.changed)
