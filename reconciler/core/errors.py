"""Diagnostics, which are collected as values, and errors, which stop the run without a traceback."""

from __future__ import annotations

import shlex
from dataclasses import KW_ONLY, dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.codes import Code


class Severity(StrEnum):
    """The severity of a finding: an error blocks, a warning is shown, and so is information."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a file. Lines and columns count from 1, columns in characters.

    ``byte`` counts from 0; it is not compared, since line and column identify the place.
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
    """The line of a finding as it is in the file, and the position of the finding in it.

    ``start`` and ``end`` are character offsets into ``text``, from 0, ``end`` excluded.
    A line that may hold a secret never becomes a snippet.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSecret:
    """A reference without a value, the addresses that need it, and the problem in words that others share."""

    reference: str = field(metadata={"description": "as written in the manifest"})
    problem: str = field(metadata={"description": "why it has no value, in words that others share"})
    needed_by: tuple[str, ...] = field(
        default=(), metadata={"description": "addresses of the connections that need it"}
    )


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what is wrong, where, and what to do. All findings are shown together.

    ``fingerprint`` identifies a risk, so that an approval can name it. Findings about a ``missing_secret``
    with the same problem can be shown as one table.
    """

    severity: Severity
    code: Code
    summary: str
    _: KW_ONLY
    detail: str = ""
    hint: str = ""
    address: str = ""
    location: SourceLocation | None = None
    snippet: Snippet | None = None
    fingerprint: str = ""
    missing_secret: MissingSecret | None = None

    @property
    def is_error(self) -> bool:
        """Whether the finding blocks."""
        return self.severity is Severity.ERROR


LIST_ALL: Final = "`reconciler list --all` lists the organizations of this project"
"""The hint for a name that no organization has."""


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint that names the known name most similar to an unknown one, or else the other hint."""
    close = get_close_matches(name, tuple(known), n=1)
    return f"did you mean `{close[0]}`?" if close else otherwise


def count(number: int, noun: str) -> str:
    """Return ``1 connection`` or ``2 connections``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shell_word(text: str) -> str:
    """Return the text as one word of a shell command, quoted where needed: hints are copied and run."""
    return shlex.quote(text)


def shell_operand(text: str) -> str:
    """Return the text as an operand of a shell command, which is never taken for an option."""
    return f"-- {shell_word(text)}" if text.startswith("-") else shell_word(text)


class ReconcilerError(Exception):
    """Stops the run. Its text says what is wrong, where, and what to do.

    ``code`` is that of its diagnostic. An error without a code of its own belongs to one operation or
    organization: where it stops the run, that is a bug.
    """

    code: ClassVar[Code] = "bug"


class UsageError(ReconcilerError):
    """The command line names something that does not exist, or options that exclude each other."""

    code = "usage-error"


class InvalidConfiguration(ReconcilerError):
    """Manifests or the project file cannot be used; every finding is in ``diagnostics``."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        lines = (
            f"{item.summary} ({item.location})" if item.location else item.summary for item in diagnostics
        )
        super().__init__("; ".join(lines))
        self.diagnostics = diagnostics


class SecretUnavailable(ReconcilerError):
    """A secret reference cannot be resolved. The text names the reference, never a value.

    ``problem`` is the reason without the name, alike for all references with the same problem.
    """

    def __init__(self, message: str, *, problem: str = "") -> None:
        super().__init__(message)
        self.problem = problem or message

    code = "secret-unavailable"


class PlanRefused(ReconcilerError):
    """A saved plan is foreign, changed, expired or of another version, and is refused whole."""

    code = "plan-refused"


class ReportRefused(ReconcilerError):
    """An earlier drift report is foreign, unreadable or of another version."""

    code: ClassVar[Code] = "report-refused"


class ReportOfFailedRun(ReportRefused):
    """A drift report is the document of a run that failed before it could look."""

    code = "report-of-failed-run"


class LoginFailed(ReconcilerError):
    """A person could not log in through a connection, or not as a member of the right organization."""

    code = "login-failed"


class PublishingFailed(ReconcilerError):
    """A comment, label or issue could not be written or read. ``status`` is the HTTP status, or 0."""

    code: ClassVar[Code] = "publishing-failed"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class UnknownPublication(PublishingFailed):
    """A create was sent, but whether it took effect is unknown. Read before retrying."""

    code = "unknown-publication"


class ProviderError(ReconcilerError):
    """The remote API refused or failed. ``status`` is the HTTP status, or 0."""

    def __init__(self, message: str, *, status: int = 0, error_type: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.error_type = error_type
        self.request_id = request_id

    def __str__(self) -> str:
        """Return the message with status, error_type and request_id, as support asks for them."""
        request = self.request_id and f"request_id {self.request_id}"
        details = ", ".join(str(fact) for fact in (self.status, self.error_type, request) if fact)
        return f"{self.message} ({details})" if details else self.message


class AccessDenied(ProviderError):
    """401 or 403: credentials or permissions are wrong, and no further call makes sense."""

    code = "access-denied"


class OrganizationRefused(ProviderError):
    """403 about one organization, for example a suspended one: no further call for it makes sense."""

    code = "request-rejected"


class NotFound(ProviderError):
    """404 that means neither a missing organization nor a missing connection."""

    code = "not-found"


class OrganizationNotFound(NotFound):
    """No organization has this id, slug or external id."""


class ConnectionNotFound(NotFound):
    """The connection does not exist (any more)."""


class RequestRejected(ProviderError):
    """A final refusal: retrying the same request does not help."""

    code = "request-rejected"


class Unavailable(ProviderError):
    """The call certainly had no effect, and may succeed later (429, connection refused)."""

    code = "unavailable"


class UnknownOutcome(ProviderError):
    """The call was sent, but whether it took effect is unknown. Read before retrying."""


class TimedOut(UnknownOutcome):
    """There was no response in time; the call may still take effect."""


class MalformedAnswer(ProviderError):
    """A successful response that cannot be read; it never means "nothing there"."""

    code = "malformed-answer"
