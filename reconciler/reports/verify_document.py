"""The JSON document of a verification: what `verify --format json` prints."""

from dataclasses import dataclass, field
from typing import Final

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
    source_document,
)
from reconciler.core.errors import Severity
from reconciler.core.verification import Exchange, Verification, VerifiedConnection

FORMAT_VERSION: Final = "1.0"
"""The major number changes when an older reader would misunderstand the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedConnectionDocument:
    """A connection and the checks of its identity provider."""

    address: str = field(metadata=ADDRESS)
    connection_id: str | None = field(metadata=described("ID of the connection; null if it is not live"))
    issuer: str = field(metadata=described("the issuer; empty if the connection has none yet"))
    live: bool = field(metadata=flag("live values were checked; otherwise the declared ones were"))
    not_asked: str = field(default="", metadata=described("why the connection was not checked"))
    asked: tuple[Exchange, ...] = field(metadata=described("the requests and their responses"))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDocument:
    """Whether logins would work, as far as the identity providers say."""

    format_version: str = field(metadata=VERSION_1)
    reconciler_version: str = field(metadata=RECONCILER)
    timestamp: str = field(metadata=described("when the identity providers were checked, RFC 3339 in UTC"))
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
    findings: tuple[DiagnosticDocument, ...] = field(
        metadata=described("about identity providers; the fingerprint is the same in every run")
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
        timestamp=result.created_at,
        target=copy_fields(TargetDocument, result.scope),
        complete=result.is_complete,
        errored=result.has_errors,
        proxied=result.uses_proxy,
        summary=copy_fields(
            VerifySummaryDocument,
            result,
            connections=len(result.connections),
            errors=result.count(Severity.ERROR),
            warnings=result.count(Severity.WARNING),
            infos=result.count(Severity.INFO),
        ),
        connections=tuple(map(_verified_connection, result.connections)),
        findings=tuple(map(diagnostic_document, result.findings)),
        diagnostics=tuple(map(diagnostic_document, result.diagnostics)),
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
