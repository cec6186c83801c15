"""What can be wrong: findings that are gathered as values, and errors that stop the run.

::

    Exception
    └── ReconcilerError                 stops the run, shown without a traceback
        ├── UsageError                  the call's words are off
        ├── InvalidConfiguration        manifests or project file have findings
        ├── SecretUnavailable           a reference cannot be resolved
        ├── PlanRefused                 a saved plan cannot be used
        ├── ReportRefused               an earlier report cannot be used
        ├── PublishingFailed            a forge said no, or said nothing
        │   └── UnknownPublication      sent, and nobody can say whether it is there
        └── ProviderError               the remote API said no, or said nothing
            ├── AccessDenied            401 and 403: no further call makes sense
            ├── NotFound                404
            │   ├── OrganizationNotFound
            │   └── ConnectionNotFound  the only answer that means "already gone"
            ├── RequestRejected         any other 4xx: repeating it changes nothing
            ├── Unavailable             refused or failed for now, certainly without effect
            ├── UnknownOutcome          sent, and nobody can say whether it took effect
            │   └── TimedOut            nor whether it still will
            └── MalformedAnswer         an answer that cannot be read is never "nothing there"
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs: an error blocks, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a file. Lines and columns count from 1, columns in characters.

    ``byte`` counts from 0; it says the same once more, so it is not compared.
    """

    path: str
    _: KW_ONLY
    line: int = 1
    column: int = 1
    byte: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """Return ``file:line:column``, the form that editors and terminals make clickable."""
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """The offending line as it stands in the file, and where in it the finding is.

    ``start`` and ``end`` are character offsets into ``text``, from 0, ``end`` excluded.
    A line that may hold a secret is never put into a snippet.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, shown together with all others: what, where, and what to do."""

    severity: Severity
    code: str
    summary: str
    _: KW_ONLY
    detail: str = ""
    hint: str = ""
    address: str = ""
    location: SourceLocation | None = None
    snippet: Snippet | None = None

    @property
    def is_error(self) -> bool:
        """Whether the finding blocks."""
        return self.severity is Severity.ERROR


class ReconcilerError(Exception):
    """Stops the run. Its text is complete: what, where, and what to do."""


class UsageError(ReconcilerError):
    """The command line asks for something that does not exist or does not go together."""


class InvalidConfiguration(ReconcilerError):
    """Manifests or the project file cannot be used; every finding is in ``diagnostics``."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(_one_line(found) for found in diagnostics))
        self.diagnostics = diagnostics


class SecretUnavailable(ReconcilerError):
    """A secret reference cannot be resolved. The text names the reference, never a value."""


class PlanRefused(ReconcilerError):
    """A saved plan is foreign, changed, expired or of another version, and is refused whole."""


class ReportRefused(ReconcilerError):
    """An earlier drift report is foreign, unreadable or of another version."""


class PublishingFailed(ReconcilerError):
    """A comment, label or issue could not be written or read. ``status`` is the HTTP status, or 0."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class UnknownPublication(PublishingFailed):
    """Something was to be created, and it is not known whether it was. Look before repeating."""


class ProviderError(ReconcilerError):
    """The remote API refused or failed. ``status`` is the HTTP status, 0 where there was none."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        error_type: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.error_type = error_type
        self.request_id = request_id

    def __str__(self) -> str:
        """Return the message with status, error_type and request_id, as support asks for them."""
        facts = [
            str(self.status) if self.status else "",
            self.error_type,
            f"request_id {self.request_id}" if self.request_id else "",
        ]
        known = ", ".join(fact for fact in facts if fact)
        return f"{self.message} ({known})" if known else self.message


class AccessDenied(ProviderError):
    """401 or 403: credentials or permissions are wrong, and no further call makes sense."""


class NotFound(ProviderError):
    """404 of a kind that means neither a missing organization nor a missing connection."""


class OrganizationNotFound(NotFound):
    """No organization has this id, slug or external id."""


class ConnectionNotFound(NotFound):
    """The connection does not exist (any more)."""


class RequestRejected(ProviderError):
    """A final refusal: sending the same request again changes nothing."""


class Unavailable(ProviderError):
    """The call certainly had no effect, and may succeed later (429, no connection made)."""


class UnknownOutcome(ProviderError):
    """The call was sent, and it is not known whether it took effect. Read before repeating."""


class TimedOut(UnknownOutcome):
    """There was no answer in time: the service may be carrying the call out still."""


class MalformedAnswer(ProviderError):
    """An answer with a good status that cannot be read; never taken for "nothing there"."""


def _one_line(found: Diagnostic) -> str:
    place = f" ({found.location})" if found.location else ""
    return f"{found.summary}{place}"
