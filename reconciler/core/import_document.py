"""The result of an import: every organization with its file, and what is left to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.errors import Diagnostic


class FileStatus(StrEnum):
    """What became of an organization's manifest."""

    CREATED = "created"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One organization. ``connections`` counts those declared in the file.

    ``remarks`` says what is live and not declared there; ``suggestion`` is what could be added to a
    file that was kept, as the lines below its ``connections:``.
    """

    organization: str
    organization_id: str
    path: str
    status: FileStatus
    connections: int = 0
    remarks: tuple[str, ...] = ()
    suggestion: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """All organizations, in the order of their names. ``diagnostics`` names those that failed.

    ``variables`` are the names that were added to ``variables_file``, without values.
    """

    files: tuple[ImportedFile, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    variables: tuple[str, ...] = ()
    variables_file: str = ""

    @property
    def created(self) -> tuple[ImportedFile, ...]:
        """The organizations that have a new file."""
        return tuple(one for one in self.files if one.status is FileStatus.CREATED)

    @property
    def kept(self) -> tuple[ImportedFile, ...]:
        """The organizations that had a manifest already."""
        return tuple(one for one in self.files if one.status is FileStatus.KEPT)

    @property
    def failures(self) -> int:
        """The number of organizations that could not be imported."""
        return sum(found.is_error for found in self.diagnostics)
