"""The result of `pin`: the ids that manifests lacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic, SourceLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingPin:
    """A declaration without the id of what it means. ``address`` is of a connection or an organization."""

    address: str
    id: str
    location: SourceLocation
    is_organization: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """All pins that were missing: written by now, or only found (``is_check``).

    ``not_live`` are connections that do not exist yet, and so have no id.
    """

    pins: tuple[MissingPin, ...] = ()
    not_live: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    is_check: bool = False

    @property
    def organizations(self) -> int:
        """The number of organizations among the pins."""
        return sum(one.is_organization for one in self.pins)

    @property
    def connections(self) -> int:
        """The number of connections among the pins."""
        return len(self.pins) - self.organizations

    @property
    def has_errors(self) -> bool:
        """Whether something could not be looked up or written."""
        return any(found.is_error for found in self.diagnostics)

    @property
    def is_settled(self) -> bool:
        """Whether every manifest now holds the ids of everything that is live."""
        return not self.has_errors and not (self.is_check and self.pins)
