"""What a validation came to: the findings, and how much was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """All findings, and the numbers of files, organizations and connections that were read."""

    diagnostics: tuple[Diagnostic, ...] = ()
    files: int = 0
    organizations: int = 0
    connections: int = 0

    @property
    def error_count(self) -> int:
        """The number of findings that make it invalid."""
        return sum(found.is_error for found in self.diagnostics)

    @property
    def warning_count(self) -> int:
        """The number of findings that are only shown."""
        return len(self.diagnostics) - self.error_count

    @property
    def is_valid(self) -> bool:
        """Whether there is no error."""
        return self.error_count == 0
