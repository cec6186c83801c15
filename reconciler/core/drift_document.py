"""The JSON document of a drift report: what `drift --format json` prints and `--previous` reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from reconciler.core.address import Address
from reconciler.core.connection import WritableField
from reconciler.core.document_parts import (
    ANY_ADDRESS,
    COMMIT,
    COUNT,
    VERSION_1,
    ConnectionDocument,
    DiagnosticDocument,
    SourceDocument,
    TargetDocument,
    UnmanagedDocument,
    copy_fields,
    described,
    diagnostic_document,
    flag,
    pattern,
    read_connection,
    read_diagnostic,
    read_source,
    read_unmanaged,
    source_document,
    unmanaged_document,
)
from reconciler.core.drift import ConfirmedEndpoint, DriftKind, DriftReport, Finding, FindingStatus
from reconciler.core.errors import ReportOfFailedRun, ReportRefused
from reconciler.core.plan import Scope
from reconciler.core.plan_document import IgnoredDocument
from reconciler.core.plan_review_document import ignored_document, read_ignored
from reconciler.core.state import ActiveOrganization, Organization

FORMAT_VERSION: Final = "1.0"
"""The major number changes when an older reader would misunderstand the document."""

REPORT: Final = "drift"
"""Distinguishes this document from the others that have a format_version."""

AttributeValue = str | tuple[str, ...] | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingDocument:
    """One difference between a manifest and what is live."""

    fingerprint: str = field(
        metadata=pattern("^sha256:[0-9a-f]{64}$") | described("the same in every report")
    )
    address: str = field(metadata=ANY_ADDRESS)
    organization: str = field(
        metadata=described("the organization, as its manifest names it; if none does, its slug or ID")
    )
    organization_id: str = field(metadata=described("ID of the organization"))
    name: str = field(metadata=described("the name in the manifest; if none declares it, the connection_id"))
    connection_id: str | None = field(
        metadata=described("ID of the connection; null if it is missing and not pinned")
    )
    display_name: str = field(default="", metadata=described("of a live connection that is not declared"))
    is_pinned: bool = field(default=False, metadata=flag("it is missing, and its manifest names its id"))
    kind: DriftKind = field(metadata=described("what differs"))
    attribute: WritableField | Literal["default_connection"] | None = field(
        metadata=described("null unless the kind is changed or foreign-endpoint")
    )
    rule: str | None = field(
        default=None,
        metadata=described("the code to approve; null unless the kind is risk or foreign-endpoint"),
    )
    summary: str | None = field(default=None, metadata=described("what the rule found"))
    declared: AttributeValue = field(
        metadata=described("value in the manifest; null if there is none, or if it is sensitive")
    )
    live: AttributeValue = field(
        metadata=described("live value; null if there is none, or if it is sensitive")
    )
    published: str | None = field(
        default=None,
        metadata=described("the URL in the issuer's own metadata; null if it is no endpoint, or is unknown"),
    )
    sensitive: bool = field(metadata=flag("there is a value, but not here"))
    standing: FindingStatus = field(
        metadata=described("whether the previous report had the finding, with the same live value")
    )
    first_seen: str = field(
        metadata=described("when a report first had the finding with this live value, RFC 3339 in UTC")
    )
    source: SourceDocument | None = field(default=None, metadata=described("the place in the manifest"))
    accept: str | None = field(
        default=None,
        metadata=described("the command that takes what is live into the manifests, null if there is none"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSummaryDocument:
    """The counts of a report, of findings except for ``organizations``, ``refused`` and ``unmanaged``."""

    missing: int = field(metadata=COUNT | described("findings about declared connections that do not exist"))
    changed: int = field(metadata=COUNT | described("findings about attributes that differ"))
    unexpected: int = field(
        metadata=COUNT
        | described(
            "findings about connections that are declared absent and exist, or that prune would delete"
        )
    )
    undeclared: int = field(
        default=0, metadata=COUNT | described("findings about active connections that no manifest declares")
    )
    unknown_organization: int = field(
        default=0, metadata=COUNT | described("findings about organizations that no manifest names")
    )
    risk: int = field(default=0, metadata=COUNT | described("findings of the risk rules about live values"))
    foreign_endpoint: int = field(
        default=0,
        metadata=COUNT
        | described("live endpoints in another trust domain than those that their issuers publish"),
    )
    new: int = field(metadata=COUNT | described("findings that the previous report did not have"))
    known: int = field(metadata=COUNT | described("findings that the previous report had"))
    resolved: int = field(metadata=COUNT | described("findings of the previous report that are gone"))
    unchecked: int = field(
        metadata=COUNT | described("findings of the previous report outside of the selection of this run")
    )
    organizations: int = field(metadata=COUNT | described("number of organizations that were compared"))
    refused: int = field(metadata=COUNT | described("number of organizations that could not be compared"))
    unmanaged: int = field(
        metadata=COUNT | described("number of connections that no manifest declares, and that are no drift")
    )
    ignored_differences: int = field(
        default=0, metadata=COUNT | described("number of differing attributes that `ignore_changes` names")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOrganizationDocument:
    """An organization with active OIDC connections that no manifest names."""

    organization: str = field(metadata=described("its slug, or its id if it has none"))
    organization_id: str = field(metadata=described("ID of the organization"))
    connections: tuple[ConnectionDocument, ...] = field(metadata=described("its active OIDC connections"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedEndpointDocument:
    """A live endpoint in another trust domain than its issuer, which the issuer's own metadata names."""

    organization: str = field(metadata=described("the organization, as its manifest names it"))
    name: str = field(metadata=described("the name of the connection in the manifest"))
    attribute: WritableField = field(metadata=described("the endpoint"))
    issuer: str = field(metadata=described("the live issuer"))
    url: str = field(metadata=described("the live URL, which the issuer publishes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDocument:
    """A whole drift report."""

    format_version: str = field(metadata=VERSION_1)
    reconciler_version: str = field(metadata=described("version of the reconciler that wrote the report"))
    report: Literal["drift"] = field(metadata=described("always `drift`"))
    timestamp: str = field(metadata=described("when live was read, RFC 3339 in UTC"))
    previous_timestamp: str = field(metadata=described("the earlier report's, empty if there was none"))
    commit: str = field(metadata=COMMIT)
    target: TargetDocument | None = field(
        metadata=described("null only if the run failed before it could look")
    )
    drifted: bool = field(metadata=flag("there are findings"))
    complete: bool = field(metadata=flag("every organization could be read"))
    errored: bool = field(metadata=flag("the report leaves something out"))
    secrets_compared: bool = field(metadata=flag("live secrets were compared"))
    summary: DriftSummaryDocument = field(metadata=described("number of findings by kind and standing"))
    findings: tuple[FindingDocument, ...] = field(metadata=described("one entry for each difference"))
    resolved: tuple[FindingDocument, ...] = field(
        metadata=described("findings of the previous report that are gone")
    )
    unchecked: tuple[FindingDocument, ...] = field(
        metadata=described("of the earlier report; outside this run's selection")
    )
    unmanaged: tuple[UnmanagedDocument, ...] = field(
        metadata=described("live connections that no manifest declares, and that are no drift")
    )
    unknown_organizations: tuple[UnknownOrganizationDocument, ...] = field(
        default=(), metadata=described("organizations that no manifest names, and that are no drift")
    )
    diagnostics: tuple[DiagnosticDocument, ...] = field(
        metadata=described("errors and warnings about manifests and organizations")
    )
    guards: tuple[DiagnosticDocument, ...] = field(
        default=(), metadata=described("that the change since the base (--changed-since) lowers")
    )
    confirmed: tuple[ConfirmedEndpointDocument, ...] = field(
        default=(), metadata=described("endpoints that the next run accepts if it cannot reach their issuer")
    )
    ignored: tuple[IgnoredDocument, ...] = field(
        default=(), metadata=described("declared attributes that differ, and that `ignore_changes` names")
    )


def drift_document(report: DriftReport, version: str) -> DriftDocument:
    """Return the document of a report; ``version`` is that of the program which writes it."""
    return copy_fields(
        DriftDocument,
        report,
        format_version=FORMAT_VERSION,
        reconciler_version=version,
        report="drift",
        timestamp=report.created_at,
        previous_timestamp=report.previous_at,
        target=copy_fields(TargetDocument, report.scope),
        drifted=report.has_drift,
        complete=report.is_complete,
        errored=report.has_errors,
        summary=copy_fields(DriftSummaryDocument, report.summary),
        findings=tuple(map(_finding_document, report.findings)),
        resolved=tuple(map(_finding_document, report.resolved)),
        unchecked=tuple(map(_finding_document, report.unchecked)),
        unmanaged=tuple(map(unmanaged_document, report.unmanaged)),
        unknown_organizations=tuple(map(_unknown_document, report.unknown_organizations)),
        diagnostics=tuple(map(diagnostic_document, report.diagnostics)),
        guards=tuple(map(diagnostic_document, report.guards)),
        confirmed=tuple(map(_confirmed_document, report.confirmed)),
        ignored=tuple(map(ignored_document, report.ignored)),
    )


def check_drift_data(data: object) -> None:
    """Check the kind and version of a document that may be anything.

    Raises:
        ReportRefused: it is not a drift report, or has another version.
        ReportOfFailedRun: its run failed.
    """
    if not isinstance(data, dict) or data.get("report") != REPORT:
        raise ReportRefused("this is not a drift report, as `drift --format json` writes it")
    version = data.get("format_version")
    if not isinstance(version, str) or version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise ReportRefused(
            f"the drift report has format_version {version!r}, this program reads {FORMAT_VERSION}"
        )
    if data.get("target", data) is None:
        raise ReportOfFailedRun("this is not a drift report to compare with: the run that wrote it failed")


def read_drift(document: DriftDocument) -> DriftReport:
    """Return the report in a document.

    Raises:
        ValueError: its parts contradict each other.
    """
    if document.target is None:
        raise ValueError("there is no target")
    return copy_fields(
        DriftReport,
        document,
        scope=copy_fields(Scope, document.target),
        created_at=document.timestamp,
        findings=tuple(map(_read_finding, document.findings)),
        resolved=tuple(map(_read_finding, document.resolved)),
        unchecked=tuple(map(_read_finding, document.unchecked)),
        unmanaged=tuple(map(read_unmanaged, document.unmanaged)),
        unknown_organizations=tuple(map(_read_unknown, document.unknown_organizations)),
        diagnostics=tuple(map(read_diagnostic, document.diagnostics)),
        guards=tuple(map(read_diagnostic, document.guards)),
        confirmed=tuple(map(_read_confirmed, document.confirmed)),
        ignored=tuple(map(read_ignored, document.ignored)),
        organizations=document.summary.organizations,
        refused=document.summary.refused,
        previous_at=document.previous_timestamp,
    )


def _unknown_document(active: ActiveOrganization) -> UnknownOrganizationDocument:
    return UnknownOrganizationDocument(
        organization=active.organization.label,
        organization_id=active.organization.organization_id,
        connections=tuple(copy_fields(ConnectionDocument, connection) for connection in active.connections),
    )


def _read_unknown(document: UnknownOrganizationDocument) -> ActiveOrganization:
    slug = "" if document.organization == document.organization_id else document.organization
    return ActiveOrganization(
        organization=Organization(organization_id=document.organization_id, slug=slug),
        connections=tuple(map(read_connection, document.connections)),
    )


def _confirmed_document(endpoint: ConfirmedEndpoint) -> ConfirmedEndpointDocument:
    address = endpoint.address
    return copy_fields(
        ConfirmedEndpointDocument, endpoint, organization=address.organization, name=address.connection
    )


def _read_confirmed(document: ConfirmedEndpointDocument) -> ConfirmedEndpoint:
    return copy_fields(ConfirmedEndpoint, document, address=Address(document.organization, document.name))


def _finding_document(finding: Finding) -> FindingDocument:
    return copy_fields(
        FindingDocument,
        finding,
        address=str(finding.address),
        organization=finding.address.organization,
        name=finding.address.connection,
        connection_id=finding.connection_id or None,
        attribute=finding.attribute or None,
        rule=finding.rule or None,
        summary=finding.summary or None,
        published=finding.published or None,
        sensitive=finding.is_sensitive,
        standing=finding.status,
        source=source_document(finding.location),
        accept=finding.accept_command or None,
    )


def _read_finding(document: FindingDocument) -> Finding:
    if (document.attribute is not None) != (document.kind in {DriftKind.CHANGED, DriftKind.FOREIGN_ENDPOINT}):
        raise ValueError(f"a connection is {document.kind} and names the attribute {document.attribute}")
    return copy_fields(
        Finding,
        document,
        address=Address(document.organization, document.name),
        connection_id=document.connection_id or "",
        attribute=document.attribute or "",
        rule=document.rule or "",
        summary=document.summary or "",
        published=document.published or "",
        location=read_source(document.source),
        status=document.standing,
    )
