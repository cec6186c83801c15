"""The result of `verify`: requests, findings compared with an earlier report, and secrets that expire."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reconciler.core.drift import FindingStatus
from reconciler.core.errors import Diagnostic, ReportRefused, Severity
from reconciler.core.idp import evidence_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.errors import SourceLocation
    from reconciler.core.idp import AnswerKind
    from reconciler.core.plan import Scope

EXPIRY_HORIZON: Final = 90
"""Days ahead; secrets that expire later are only counted."""

_STEPS: Final = {"secret-expires": "summary", "tls-expires": "hint"}
"""Findings that become more urgent in steps, and what of them changes with each step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its response. ``redirects`` are the URLs that were followed."""

    purpose: str = field(
        metadata={"description": "purpose of the request: metadata, keys, preflight, probe, login or claims"}
    )
    url: str = field(metadata={"description": "requested URL, without the query of a preflight"})
    outcome: str = field(metadata={"description": "the response, in words"})
    redirects: tuple[str, ...] = field(default=(), metadata={"description": "followed redirects, in order"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedConnection:
    """A declared connection. ``not_asked`` says why nothing was asked, or is empty.

    ``is_live``: it exists, and its live values were checked; otherwise the declared ones were.
    ``answered`` is what the provider has answered in a way that can be judged.
    """

    address: str
    issuer: str
    connection_id: str = ""
    is_live: bool = True
    not_asked: str = ""
    location: SourceLocation | None = None
    exchanges: tuple[Exchange, ...] = ()
    answered: tuple[AnswerKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerRead:
    """An issuer whose metadata could be read, and when a report last did so, RFC 3339 in UTC."""

    issuer: str = field(metadata={"description": "the issuer"})
    read_at: str = field(metadata={"description": "when a report last read its metadata, RFC 3339 in UTC"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFinding(Diagnostic):
    """A finding about a connection's provider, and how it relates to the previous report.

    ``is_approved``: an approval in Git covers it. ``first_seen`` is RFC 3339, in UTC.
    """

    status: FindingStatus = FindingStatus.NEW
    first_seen: str = ""
    is_approved: bool = False

    @property
    def needs_action(self) -> bool:
        """Whether somebody has to do something: an error or a warning that nobody has approved."""
        return self.severity is not Severity.INFO and not self.is_approved


class ExpiryOrigin(StrEnum):
    """What says when a secret expires: `secret_expires_on`, a probe of the provider, or a secret store."""

    MANIFEST = "manifest"
    PROBE = "probe"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretExpiry:
    """When a client secret expires; without ``expires_on``, it has expired at an unknown date."""

    address: str
    origin: ExpiryOrigin
    expires_on: date | None = None
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All connections of a run, with findings about their identity providers, errors first.

    ``diagnostics`` are about manifests and organizations: what could not be read is not verified.
    ``issuers`` counts those that were asked, ``issuers_not_reached`` those of them that gave no answer.
    ``resolved`` and ``unchecked`` are findings of the previous report, made at ``previous_at``.
    ``expiries`` are within the horizon, soonest first; ``expiries_later`` counts those beyond it.
    ``issuers_read`` are those whose metadata this or an earlier report has read.
    ``secrets_without_date`` counts connections with a secret of which nothing says when it expires.
    """

    scope: Scope
    created_at: str
    commit: str = ""
    connections: tuple[VerifiedConnection, ...] = ()
    findings: tuple[ProviderFinding, ...] = ()
    resolved: tuple[ProviderFinding, ...] = ()
    unchecked: tuple[ProviderFinding, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    issuers: int = 0
    issuers_not_reached: int = 0
    uses_proxy: bool = False
    previous_at: str = ""
    issuers_read: tuple[IssuerRead, ...] = ()
    expiries: tuple[SecretExpiry, ...] = ()
    expiries_later: int = 0
    secrets_without_date: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether every declared connection of the run could be looked at."""
        return not any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def has_errors(self) -> bool:
        """Whether a login would fail or be unsafe, or something could not be read."""
        return not self.is_complete or any(finding.is_error for finding in self.findings)

    @property
    def has_seen_nothing(self) -> bool:
        """Whether no connection could be looked at, though some may be declared."""
        return not self.connections and not self.is_complete

    @property
    def needs_action(self) -> bool:
        """Whether somebody has to do something about a finding."""
        return any(finding.needs_action for finding in self.findings)

    @property
    def today(self) -> date:
        """The day of the run, in UTC."""
        return date.fromisoformat(self.created_at[:10])

    @property
    def is_login(self) -> bool:
        """Whether a person logged in through the connection; nothing else was checked then."""
        exchanges = (exchange for connection in self.connections for exchange in connection.exchanges)
        return any(exchange.purpose == "login" for exchange in exchanges)

    @property
    def not_asked(self) -> int:
        """The number of connections that were not checked."""
        return sum(bool(connection.not_asked) for connection in self.connections)

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def worst(self, address: str) -> Severity | None:
        """Return the highest severity of the findings about a connection, or None."""
        severities = {finding.severity for finding in self.findings if finding.address == address}
        return next((severity for severity in Severity if severity in severities), None)


def check_previous(previous: Verification | None, scope: Scope) -> None:
    """Check that a previous report is of the same project.

    Raises:
        ReportRefused: it is of another one.
    """
    if previous is not None and previous.scope.principal != scope.principal:
        raise ReportRefused(
            f"the previous report of verify is of project {previous.scope.principal}, this run is for "
            f"{scope.principal}: compare with a report of this project, or with none"
        )


def issuers_read_before(previous: Verification | None) -> frozenset[str]:
    """Return the issuers whose metadata the previous report or an earlier one has read."""
    return frozenset(item.issuer for item in previous.issuers_read) if previous else frozenset()


def compare_with_previous(
    result: Verification, previous: Verification | None, *, is_whole: bool
) -> Verification:
    """Return the result with the status of each finding; ``is_whole``: it covers the whole project."""
    earlier = {
        finding.fingerprint: finding
        for finding in ((*previous.unchecked, *previous.findings) if previous else ())
    }
    findings = tuple(
        _with_first_seen(finding, earlier.pop(finding.fingerprint, None), result.created_at)
        for finding in result.findings
    )
    answered = {connection.address: connection for connection in result.connections}
    resolved, unchecked = [], []
    for finding in earlier.values():
        connection = answered.get(finding.address)
        is_gone = connection is None and is_whole and result.is_complete
        if is_gone or (connection and _is_checked(finding, connection)):
            resolved.append(replace(finding, status=FindingStatus.RESOLVED))
        else:
            unchecked.append(replace(finding, status=FindingStatus.UNCHECKED))
    return replace(
        result,
        findings=findings,
        resolved=tuple(resolved),
        unchecked=tuple(unchecked),
        previous_at=previous.created_at if previous else "",
        issuers_read=_issuers_read(result, previous, knows_all=is_whole and result.is_complete),
    )


def within_horizon(expiries: Iterable[SecretExpiry], today: date) -> tuple[tuple[SecretExpiry, ...], int]:
    """Return the secrets that have expired or soon will, soonest first, and the number of all others."""
    soon, later = [], 0
    for expiry in expiries:
        if expiry.expires_on is not None and (expiry.expires_on - today).days > EXPIRY_HORIZON:
            later += 1
        else:
            soon.append(expiry)
    return tuple(sorted(soon, key=lambda expiry: (expiry.expires_on or date.min, expiry.address))), later


def _issuers_read(
    result: Verification, previous: Verification | None, *, knows_all: bool
) -> tuple[IssuerRead, ...]:
    """Return the issuers that were read, also those of an earlier report that are still in use."""
    in_use = {connection.issuer for connection in result.connections}
    known = {
        item.issuer: item for item in (*(previous.issuers_read if previous else ()), *result.issuers_read)
    }
    return tuple(item for item in known.values() if item.issuer in in_use or not knows_all)


def _is_checked(finding: ProviderFinding, connection: VerifiedConnection) -> bool:
    """Tell whether the run had the answers that tell whether an earlier finding still holds."""
    return evidence_for(finding.code).issubset(connection.answered)


def _with_first_seen(finding: ProviderFinding, earlier: ProviderFinding | None, now: str) -> ProviderFinding:
    """Return the finding with its status: one that has become more severe is new."""
    if earlier is None:
        return replace(finding, status=FindingStatus.NEW, first_seen=now)
    status = FindingStatus.NEW if _is_worse(finding, earlier) else FindingStatus.EXISTING
    return replace(finding, status=status, first_seen=earlier.first_seen)


def _is_worse(finding: ProviderFinding, earlier: ProviderFinding) -> bool:
    """Tell whether a finding has become more severe, or an expiry more urgent."""
    order = list(Severity)
    if order.index(finding.severity) < order.index(earlier.severity):
        return True
    step = _STEPS.get(finding.code)
    return step is not None and getattr(finding, step) != getattr(earlier, step)
