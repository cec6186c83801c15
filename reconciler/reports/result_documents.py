"""The JSON documents of the results that no command reads again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from reconciler.core.apply_document import PinDocument
from reconciler.core.document_parts import (
    ADDRESS,
    ATTRIBUTES,
    COUNT,
    DIAGNOSTICS,
    RECONCILER,
    VERSION_1,
    ConnectionDocument,
    DiagnosticDocument,
    TargetDocument,
    described,
    flag,
)
from reconciler.core.inventory import Management
from reconciler.core.results import FileStatus

RESULT_VERSION: Final = "1.0"
"""The format_version of these documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureDocument:
    """A run that failed before there was a result."""

    format_version: str = field(metadata=VERSION_1)
    reconciler_version: str = field(metadata=RECONCILER)
    complete: Literal[False] = field(metadata=described("false if the run failed before there was a result"))
    errored: Literal[True] = field(metadata=described("true if the run failed before there was a result"))
    interrupted: bool = field(metadata=flag("the run was interrupted, by a signal or a closed terminal"))
    error_count: int = field(metadata=COUNT | described("number of errors"))
    warning_count: int = field(metadata=COUNT | described("number of warnings"))
    diagnostics: tuple[DiagnosticDocument, ...] = field(metadata=described("why the run failed"))
    attempted_target: TargetDocument | None = field(
        default=None, metadata=described("what the run was for, if that is known")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationDocument:
    """What is wrong with the manifests, in the shape of Terraform's ``validate -json``."""

    format_version: str = field(metadata=VERSION_1)
    valid: bool = field(metadata=flag("there is no error"))
    error_count: int = field(metadata=COUNT | described("number of errors"))
    warning_count: int = field(metadata=COUNT | described("number of warnings"))
    files: int = field(metadata=COUNT | described("number of files that were read"))
    organizations: int = field(metadata=COUNT | described("number of organizations that are declared"))
    connections: int = field(metadata=COUNT | described("number of connections that are declared"))
    diagnostics: tuple[DiagnosticDocument, ...] = field(metadata=DIAGNOSTICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSummaryDocument:
    """The counts of an import."""

    imported: int = field(metadata=COUNT | described("organizations with a new file"))
    updated: int = field(metadata=COUNT | described("organizations whose manifest was changed"))
    kept: int = field(metadata=COUNT | described("organizations whose manifest was left as it is"))
    failed: int = field(metadata=COUNT | described("organizations that could not be imported"))
    connections: int = field(metadata=COUNT | described("connections declared in new files"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedValueDocument:
    """A live value that a manifest has now."""

    address: str = field(metadata=ADDRESS)
    attribute: str = field(metadata=described("the attribute"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedOrganizationDocument:
    """One organization of an import."""

    organization: str = field(metadata=described("the organization, as its manifest names it"))
    organization_id: str = field(metadata=described("ID of the organization"))
    filename: str = field(metadata=described("path of its manifest"))
    status: FileStatus = field(metadata=described("whether the manifest is new"))
    connections: int = field(metadata=COUNT | described("connections declared in the file"))
    remarks: tuple[str, ...] = field(metadata=described("what is live and not declared in the file"))
    suggestion: str = field(
        metadata=described("lines that could be added below `connections:`; may be empty")
    )
    updates: tuple[ImportedValueDocument, ...] = field(metadata=described("values that `--update` took over"))
    added: tuple[str, ...] = field(metadata=described("addresses of connections that `--add` added"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDocument:
    """What was imported."""

    format_version: str = field(metadata=VERSION_1)
    complete: bool = field(metadata=flag("every organization could be imported"))
    errored: bool = field(metadata=flag("an organization could not be imported"))
    summary: ImportSummaryDocument = field(metadata=described("number of organizations and connections"))
    organizations: tuple[ImportedOrganizationDocument, ...] = field(
        metadata=described("one entry for each organization")
    )
    variables: tuple[str, ...] = field(metadata=described("names of variables added to `variables_file`"))
    variables_file: str = field(metadata=described("path of the file with the variables; may be empty"))
    unmanaged_secrets: int = field(
        metadata=COUNT | described("number of secrets that are left unmanaged, with `--secrets none`")
    )
    stored_secrets: int = field(
        metadata=COUNT | described("number of live secrets that were encrypted into `secret_files`")
    )
    secret_files: tuple[str, ...] = field(metadata=described("paths of the age files that were written"))
    diagnostics: tuple[DiagnosticDocument, ...] = field(metadata=DIAGNOSTICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinSummaryDocument:
    """The number of pins."""

    connections: int = field(metadata=COUNT | described("pins of connections"))
    organizations: int = field(metadata=COUNT | described("pins of organizations"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PinsDocument:
    """The pins that were missing."""

    format_version: str = field(metadata=VERSION_1)
    complete: bool = field(metadata=flag("everything could be looked up and written"))
    errored: bool = field(metadata=flag("something could not be looked up or written"))
    check: bool = field(metadata=flag("nothing was written, because of `--check`"))
    settled: bool = field(metadata=flag("every manifest holds the IDs of everything that exists"))
    summary: PinSummaryDocument = field(metadata=described("number of pins"))
    pins: tuple[PinDocument, ...] = field(metadata=described("pins that were written, or are missing"))
    maps: tuple[PinDocument, ...] = field(
        metadata=described("pins of another environment that became maps, or have to; without an ID here")
    )
    not_live: tuple[str, ...] = field(metadata=described("addresses of connections that do not exist yet"))
    diagnostics: tuple[DiagnosticDocument, ...] = field(metadata=DIAGNOSTICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedConnectionDocument:
    """A connection that is declared or live; what is not known is null."""

    address: str = field(
        metadata=described("organization/connection; the latter is an ID if it is not declared")
    )
    management: Management = field(metadata=described("how manifests and live state relate"))
    default: bool = field(metadata=flag("it is the organization's default connection now"))
    display_name: str | None = field(metadata=ATTRIBUTES["display_name"])
    identity_provider: str | None = field(metadata=ATTRIBUTES["identity_provider"])
    issuer: str | None = field(metadata=ATTRIBUTES["issuer"])
    client_id: str | None = field(metadata=ATTRIBUTES["client_id"])
    authorization_url: str | None = field(metadata=ATTRIBUTES["authorization_url"])
    token_url: str | None = field(metadata=ATTRIBUTES["token_url"])
    userinfo_url: str | None = field(metadata=ATTRIBUTES["userinfo_url"])
    jwks_url: str | None = field(metadata=ATTRIBUTES["jwks_url"])
    custom_scopes: tuple[str, ...] | None = field(metadata=ATTRIBUTES["custom_scopes"])
    attribute_mapping: Mapping[str, Any] | None = field(metadata=ATTRIBUTES["attribute_mapping"])
    connection_id: str | None = field(metadata=ATTRIBUTES["connection_id"])
    redirect_url: str | None = field(metadata=ATTRIBUTES["redirect_url"])
    status: str | None = field(metadata=ATTRIBUTES["status"])
    organization_id: str = field(metadata=described("ID of the organization"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDocument:
    """The connections that are declared or live."""

    format_version: str = field(metadata=VERSION_1)
    complete: bool = field(metadata=flag("everything could be read"))
    errored: bool = field(metadata=flag("something could not be read"))
    connections: tuple[ListedConnectionDocument, ...] = field(
        metadata=described("one entry for each connection")
    )
    diagnostics: tuple[DiagnosticDocument, ...] = field(metadata=DIAGNOSTICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDocument(ConnectionDocument):
    """The values of one connection, or the one that was asked for."""

    format_version: str = field(metadata=VERSION_1)
    address: str = field(metadata=ADDRESS)
    organization_id: str | None = field(default=None, metadata=described("ID of the organization"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedingConnectionDocument:
    """A connection that needs a secret."""

    address: str = field(metadata=ADDRESS)
    location: str = field(metadata=described("FILE:LINE:COLUMN of the reference"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSecretDocument:
    """A reference that cannot be resolved."""

    reference: str = field(metadata=described("as written in the manifest"))
    reason: str = field(metadata=described("why it cannot be resolved"))
    needed_by: tuple[NeedingConnectionDocument, ...] = field(
        metadata=described("the connections that need it")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsCheckDocument:
    """Whether every reference to a secret can be resolved; no value is in it."""

    format_version: str = field(metadata=VERSION_1)
    references: int = field(metadata=COUNT | described("number of references, each counted once"))
    missing: tuple[MissingSecretDocument, ...] = field(
        metadata=described("references that cannot be resolved")
    )
    diagnostics: tuple[DiagnosticDocument, ...] = field(
        metadata=described("errors of the manifests, and a finding for each missing secret")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationDocument:
    """What a code means."""

    format_version: str = field(metadata=VERSION_1)
    code: str = field(metadata=described("the code"))
    title: str = field(metadata=described("what it says, in one sentence"))
    why: str = field(metadata=described("why it matters"))
    fix: str = field(metadata=described("what to do"))
