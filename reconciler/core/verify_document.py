"""The JSON document of a verification: what `verify --format json` prints and `--previous` reads."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from reconciler.core.document_parts import (
    ADDRESS,
    COMMIT,
    COUNT,
    RECONCILER,
    VERSION_1,
    DiagnosticDocument,
    SourceDocument,
    TargetDocument,
    copy_fields,
    described,
    diagnostic_document,
    flag,
    read_diagnostic,
    read_source,
    source_document,
)
from reconciler.core.drift import FindingStatus
from reconciler.core.errors import ReportOfFailedRun, ReportRefused, Severity
from reconciler.core.idp import AnswerKind
from reconciler.core.plan import Scope
from reconciler.core.verification import (
    EXPIRY_HORIZON,
    Exchange,
    ExpiryOrigin,
    IssuerRead,
    ProviderFinding,
    SecretExpiry,
    Verification,
    VerifiedConnection,
)

FORMAT_VERSION: Final = "1.0"
"""The major number changes when an older reader would misunderstand the document."""

REPORT: Final = "verify"
"""Distinguishes this document from the others that have a format_version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedConnectionDocument:
    """A connection and the checks of its identity provider."""

    address: str = field(metadata=ADDRESS)
    connection_id: str | None = field(metadata=described("ID of the connection; null if it is not live"))
    issuer: str = field(metadata=described("the issuer; empty if the connection has none yet"))
    live: bool = field(metadata=flag("live values were checked; otherwise the declared ones were"))
    not_asked: str = field(default="", metadata=described("why the connection was not checked"))
    asked: tuple[Exchange, ...] = field(metadata=described("the requests and their responses"))
    answered: tuple[AnswerKind, ...] = field(
        default=(), metadata=described("the provider's answers that could be judged")
    )
    source: SourceDocument | None = field(default=None, metadata=described("the place in the manifest"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFindingDocument(DiagnosticDocument):
    """A finding about a connection's provider."""

    standing: FindingStatus = field(
        metadata=described("whether the previous report had the finding, at least as severe")
    )
    first_seen: str = field(metadata=described("when a report first had the finding, RFC 3339 in UTC"))
    approved: bool = field(default=False, metadata=flag("an approval in Git covers it"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretExpiryDocument:
    """A client secret that has expired or will within the horizon."""

    address: str = field(metadata=ADDRESS)
    expires_on: str | None = field(
        metadata=described("the day, YYYY-MM-DD; null if it has expired at an unknown date")
    )
    days: int | None = field(metadata=described("days until then, negative after it; null without a date"))
    origin: ExpiryOrigin = field(
        metadata=described("where the date is from: the manifest, a probe, or a secret store")
    )
    source: SourceDocument | None = field(default=None, metadata=described("the place in the manifest"))


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySummaryDocument:
    """The counts of a verification."""

    connections: int = field(metadata=COUNT | described("number of declared connections of the run"))
    not_asked: int = field(metadata=COUNT | described("connections that were not checked"))
    issuers: int = field(metadata=COUNT | described("number of issuers checked"))
    issuers_not_reached: int = field(metadata=COUNT | described("issuers that did not respond"))
    errors: int = field(metadata=COUNT | described("findings of severity error"))
    warnings: int = field(metadata=COUNT | described("findings of severity warning"))
    infos: int = field(metadata=COUNT | described("findings of severity info"))
    new: int = field(
        metadata=COUNT
        | described("findings that the previous report did not have, or had with a lower severity")
    )
    known: int = field(metadata=COUNT | described("findings that the previous report had"))
    resolved: int = field(metadata=COUNT | described("findings of the previous report that are gone"))
    unchecked: int = field(
        metadata=COUNT | described("findings of the previous report that this run could not check")
    )
    secrets_expiring_later: int = field(
        metadata=COUNT | described(f"secrets that expire in more than {EXPIRY_HORIZON} days")
    )
    secrets_without_date: int = field(
        metadata=COUNT | described("connections whose secret expires on an unknown date")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDocument:
    """Whether logins would work, as far as the identity providers say."""

    format_version: str = field(metadata=VERSION_1)
    reconciler_version: str = field(metadata=RECONCILER)
    report: Literal["verify"] = field(metadata=described("always `verify`"))
    timestamp: str = field(metadata=described("when the identity providers were checked, RFC 3339 in UTC"))
    previous_timestamp: str = field(metadata=described("the earlier report's, empty if there was none"))
    commit: str = field(metadata=COMMIT)
    target: TargetDocument | None = field(
        metadata=described("null only if the run failed before it knew its target")
    )
    complete: bool = field(metadata=flag("every declared connection of the run could be checked"))
    errored: bool = field(metadata=flag("there is an error, in the findings or the diagnostics"))
    proxied: bool = field(metadata=flag("a proxy was used; its rules decide about addresses"))
    summary: VerifySummaryDocument = field(metadata=described("counts"))
    connections: tuple[VerifiedConnectionDocument, ...] = field(
        metadata=described("the declared connections of the run")
    )
    findings: tuple[ProviderFindingDocument, ...] = field(
        metadata=described("about identity providers; the fingerprint is the same in every run")
    )
    resolved: tuple[ProviderFindingDocument, ...] = field(
        metadata=described("findings of the previous report that are gone")
    )
    unchecked: tuple[ProviderFindingDocument, ...] = field(
        metadata=described("findings of the previous report that this run could not check")
    )
    expiring_secrets: tuple[SecretExpiryDocument, ...] = field(
        metadata=described(f"secrets that expire within {EXPIRY_HORIZON} days, soonest first")
    )
    issuers_read: tuple[IssuerRead, ...] = field(
        metadata=described("issuers whose metadata this or an earlier report has read")
    )
    diagnostics: tuple[DiagnosticDocument, ...] = field(
        metadata=described("errors and warnings about manifests and organizations")
    )


def verify_document(result: Verification, version: str) -> VerifyDocument:
    """Return the document of a verification; ``version`` is that of the program which writes it."""
    return copy_fields(
        VerifyDocument,
        result,
        format_version=FORMAT_VERSION,
        reconciler_version=version,
        report=REPORT,
        timestamp=result.created_at,
        previous_timestamp=result.previous_at,
        target=copy_fields(TargetDocument, result.scope),
        complete=result.is_complete,
        errored=result.has_errors,
        proxied=result.uses_proxy,
        summary=verify_summary(result),
        connections=tuple(map(_verified_connection, result.connections)),
        findings=tuple(map(_finding_document, result.findings)),
        resolved=tuple(map(_finding_document, result.resolved)),
        unchecked=tuple(map(_finding_document, result.unchecked)),
        expiring_secrets=tuple(_expiry_document(expiry, result.today) for expiry in result.expiries),
        diagnostics=tuple(map(diagnostic_document, result.diagnostics)),
    )


def verify_summary(result: Verification) -> VerifySummaryDocument:
    """Return the counts of a verification."""
    new = sum(finding.status is FindingStatus.NEW for finding in result.findings)
    return copy_fields(
        VerifySummaryDocument,
        result,
        connections=len(result.connections),
        errors=result.count(Severity.ERROR),
        warnings=result.count(Severity.WARNING),
        infos=result.count(Severity.INFO),
        new=new,
        known=len(result.findings) - new,
        resolved=len(result.resolved),
        unchecked=len(result.unchecked),
        secrets_expiring_later=result.expiries_later,
    )


def check_verify_data(data: object) -> None:
    """Check the kind and version of a document that may be anything.

    Raises:
        ReportRefused: it is not a report of verify, or has another version.
        ReportOfFailedRun: its run failed.
    """
    if not isinstance(data, dict) or data.get("report") != REPORT:
        raise ReportRefused("this is not a report of verify, as `verify --format json` writes it")
    version = data.get("format_version")
    if not isinstance(version, str) or version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise ReportRefused(
            f"the report of verify has format_version {version!r}, this program reads {FORMAT_VERSION}"
        )
    if data.get("target", data) is None:
        raise ReportOfFailedRun(
            "this is not a report of verify to compare with: the run that wrote it failed"
        )


def read_verification(document: VerifyDocument) -> Verification:
    """Return the verification in a document.

    Raises:
        ValueError: its parts contradict each other.
    """
    if document.target is None:
        raise ValueError("there is no target")
    date.fromisoformat(document.timestamp[:10])
    return copy_fields(
        Verification,
        document,
        scope=copy_fields(Scope, document.target),
        created_at=document.timestamp,
        previous_at=document.previous_timestamp,
        connections=tuple(map(_read_connection, document.connections)),
        findings=tuple(map(_read_finding, document.findings)),
        resolved=tuple(map(_read_finding, document.resolved)),
        unchecked=tuple(map(_read_finding, document.unchecked)),
        diagnostics=tuple(map(read_diagnostic, document.diagnostics)),
        issuers=document.summary.issuers,
        issuers_not_reached=document.summary.issuers_not_reached,
        uses_proxy=document.proxied,
        expiries=tuple(map(_read_expiry, document.expiring_secrets)),
        expiries_later=document.summary.secrets_expiring_later,
        secrets_without_date=document.summary.secrets_without_date,
    )


def _verified_connection(connection: VerifiedConnection) -> VerifiedConnectionDocument:
    return copy_fields(
        VerifiedConnectionDocument,
        connection,
        connection_id=connection.connection_id or None,
        live=connection.is_live,
        asked=connection.exchanges,
        source=source_document(connection.location),
    )


def _read_connection(document: VerifiedConnectionDocument) -> VerifiedConnection:
    return copy_fields(
        VerifiedConnection,
        document,
        connection_id=document.connection_id or "",
        is_live=document.live,
        exchanges=document.asked,
        location=read_source(document.source),
    )


def _finding_document(finding: ProviderFinding) -> ProviderFindingDocument:
    return copy_fields(
        ProviderFindingDocument,
        diagnostic_document(finding),
        standing=finding.status,
        first_seen=finding.first_seen,
        approved=finding.is_approved,
    )


def _read_finding(document: ProviderFindingDocument) -> ProviderFinding:
    return copy_fields(
        ProviderFinding,
        read_diagnostic(document),
        status=document.standing,
        first_seen=document.first_seen,
        is_approved=document.approved,
    )


def _expiry_document(expiry: SecretExpiry, today: date) -> SecretExpiryDocument:
    return copy_fields(
        SecretExpiryDocument,
        expiry,
        expires_on=expiry.expires_on.isoformat() if expiry.expires_on else None,
        days=(expiry.expires_on - today).days if expiry.expires_on else None,
        source=source_document(expiry.location),
    )


def _read_expiry(document: SecretExpiryDocument) -> SecretExpiry:
    return copy_fields(
        SecretExpiry,
        document,
        expires_on=date.fromisoformat(document.expires_on) if document.expires_on else None,
        location=read_source(document.source),
    )
