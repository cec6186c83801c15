"""The results of validate, import and pin."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.errors import Diagnostic
from reconciler.core.outcome import MissingPin
from reconciler.core.plan import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationResult:
    """All diagnostics, and the numbers of files, organizations and connections that were read."""

    diagnostics: tuple[Diagnostic, ...] = ()
    files: int = 0
    organizations: int = 0
    connections: int = 0

    @property
    def error_count(self) -> int:
        """The number of errors."""
        return sum(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def warning_count(self) -> int:
        """The number of warnings."""
        return len(self.diagnostics) - self.error_count

    @property
    def is_valid(self) -> bool:
        """Whether there is no error."""
        return self.error_count == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A run that failed before there was a plan, or a validation, which may have no error.

    ``scope`` is the project, if it is known; ``created_at`` may be empty. ``is_lost``: the run left nothing.
    """

    diagnostics: tuple[Diagnostic, ...]
    created_at: str = ""
    scope: Scope | None = None
    is_validation: bool = False
    is_lost: bool = False

    @property
    def has_errors(self) -> bool:
        """Whether something has to be corrected."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


class FileStatus(StrEnum):
    """What an import did with an organization's manifest."""

    CREATED = "created"
    UPDATED = "updated"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldUpdate:
    """A field of a declared connection that took over its live value."""

    address: str
    attribute: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """One organization. ``connections`` counts those declared in the file.

    ``remarks`` says what is live and not declared there; ``suggestion`` is what could be added to a
    file that was kept, as the lines below its ``connections:``. ``updates`` are the fields that an update
    changed there, ``added`` the addresses of the connections that it appended.
    """

    organization: str
    organization_id: str
    path: str
    status: FileStatus
    connections: int = 0
    remarks: tuple[str, ...] = ()
    suggestion: tuple[str, ...] = ()
    updates: tuple[FieldUpdate, ...] = ()
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """All organizations, in the order of their names. ``diagnostics`` names those that failed.

    ``is_update``: live edits were taken into existing manifests, and no new ones were written;
    ``uncompared_secrets`` counts the declared secrets that it left alone.
    ``variables`` are the names that were added to ``variables_file``, without values. ``unmanaged_secrets``
    counts the connections whose secret new manifests do not declare. ``stored_secrets`` counts the live
    secrets that were encrypted into ``secret_files``.
    ``scope`` is the project, if it is known.
    """

    files: tuple[ImportedFile, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    variables: tuple[str, ...] = ()
    variables_file: str = ""
    unmanaged_secrets: int = 0
    stored_secrets: int = 0
    secret_files: tuple[str, ...] = ()
    is_update: bool = False
    uncompared_secrets: int = 0
    scope: Scope | None = None

    @property
    def created(self) -> tuple[ImportedFile, ...]:
        """The organizations that have a new file."""
        return tuple(file for file in self.files if file.status is FileStatus.CREATED)

    @property
    def kept(self) -> tuple[ImportedFile, ...]:
        """The organizations that had a manifest already."""
        return tuple(file for file in self.files if file.status is FileStatus.KEPT)

    @property
    def updated(self) -> tuple[ImportedFile, ...]:
        """The organizations whose manifest took over what is live."""
        return tuple(file for file in self.files if file.status is FileStatus.UPDATED)

    @property
    def failures(self) -> int:
        """The number of organizations, or of connections of an update, that could not be imported."""
        return sum(diagnostic.is_error for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinResult:
    """All pins that were missing: written, or only found (``is_check``).

    ``not_live`` are connections that do not exist yet, and so have no id. ``maps`` are those of them
    whose single id of the other environment becomes a map.
    ``scope`` is the project, if it is known.
    """

    pins: tuple[MissingPin, ...] = ()
    maps: tuple[MissingPin, ...] = ()
    not_live: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    is_check: bool = False
    scope: Scope | None = None

    @property
    def organizations(self) -> int:
        """The number of organizations among the pins."""
        return sum(pin.is_organization for pin in self.pins)

    @property
    def connections(self) -> int:
        """The number of connections among the pins."""
        return len(self.pins) - self.organizations

    @property
    def has_errors(self) -> bool:
        """Whether something could not be looked up or written."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def is_settled(self) -> bool:
        """Whether every manifest now holds the ids of everything that is live."""
        return not self.has_errors and not (self.is_check and (self.pins or self.maps))
