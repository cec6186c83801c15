"""The JSON document of a plan, in the shape of Terraform's: what `--format json` prints and `--out` saves.

It holds no secret: sensitive values are null, and what is needed to find them again are references.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from reconciler.core.approval import ApprovalStatus
from reconciler.core.change import Action, ActionReason
from reconciler.core.connection import WritableField
from reconciler.core.document_parts import (
    COUNT,
    FROM_ONE,
    MAPPING,
    SCOPES,
    ConnectionDocument,
    DiagnosticDocument,
    SourceDocument,
    TargetDocument,
    UnmanagedDocument,
    described,
    flag,
    pattern,
)

FORMAT_VERSION: Final = "1.1"
"""The major number changes when an older reader would misunderstand the document."""

TERRAFORM_VERSION: Final = "1.5.0"
"""The release of Terraform whose plan document this one has the shape of; tools for such plans ask."""

Yes = Literal[True]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """The attributes of a connection before or after a change."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic

    connection_id: str | None = None
    display_name: str | None = None
    identity_provider: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    authorization_url: str | None = None
    token_url: str | None = None
    userinfo_url: str | None = None
    jwks_url: str | None = None
    custom_scopes: tuple[str, ...] | None = field(default=None, metadata=SCOPES)
    attribute_mapping: Mapping[str, Any] | None = field(default=None, metadata=MAPPING)
    client_secret: None = None
    redirect_url: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributesWithSecret(Attributes):
    """The attributes of a connection that has a secret, whose value is never in a plan."""

    client_secret: None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitiveAttributes:
    """Marks the attributes that have a value which is not shown."""

    client_secret: Yes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAttributes:
    """Marks the attributes whose value is known only after apply."""

    connection_id: Yes | None = None
    authorization_url: Yes | None = None
    token_url: Yes | None = None
    userinfo_url: Yes | None = None
    jwks_url: Yes | None = None
    redirect_url: Yes | None = None
    status: Yes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDocument:
    """A connection before and after a change."""

    actions: tuple[Literal[Action.CREATE, Action.UPDATE, Action.DELETE]]
    before: AttributesWithSecret | Attributes | None
    after: AttributesWithSecret | Attributes | None
    after_unknown: UnknownAttributes
    before_sensitive: Literal[False] | SensitiveAttributes
    after_sensitive: Literal[False] | SensitiveAttributes


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatorDocument:
    """One ``${scheme:path}`` in a secret reference."""

    scheme: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralDocument:
    """The text around the locators of a secret reference."""

    literal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReferenceDocument:
    """Where a secret is, as written in the manifest, and in parts."""

    text: str
    parts: tuple[LocatorDocument | LiteralDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChangeDocument:
    """One change, and what apply needs to carry it out."""

    address: str = field(
        metadata=described("organization/connection, or the organization if its default connection changes")
    )
    mode: Literal["managed"]
    type: Literal["oidc_connection", "organization_default_connection"]
    name: str
    provider_name: Literal["stytch"]
    organization: str = field(metadata=described("the organization as its manifest names it"))
    organization_id: str = field(metadata=described("the organization's real id"))
    change: ChangeDocument
    action_reason: ActionReason | None = None
    source: SourceDocument | None = None
    declared: tuple[WritableField, ...] | None = None
    secret_reference: SecretReferenceDocument | None = None
    changed: tuple[WritableField, ...] | None = None
    uncomparable: tuple[Literal["client_secret"], ...] | None = None
    namesakes: tuple[str, ...] | None = None
    resumes: ConnectionDocument | None = None
    default: str | None = field(
        default=None, metadata=described("the manifest's name of the new default connection")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedResourceDocument:
    """A connection as it will be, where tools for Terraform's plans look for it."""

    address: str
    mode: Literal["managed"]
    type: Literal["oidc_connection"]
    name: str
    provider_name: Literal["stytch"]
    values: AttributesWithSecret | Attributes
    sensitive_values: Literal[False] | SensitiveAttributes


@dataclass(frozen=True, slots=True, kw_only=True)
class RootModuleDocument:
    """The only module of a plan."""

    resources: tuple[PlannedResourceDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedValuesDocument:
    """All connections as they will be."""

    root_module: RootModuleDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummaryDocument:
    """The counts of a plan, of connections except for ``organizations`` and ``refused``."""

    add: int = field(metadata=COUNT)
    change: int = field(metadata=COUNT)
    destroy: int = field(metadata=COUNT)
    unchanged: int = field(metadata=COUNT)
    unmanaged: int = field(metadata=COUNT)
    managed: int = field(metadata=COUNT)
    organizations: int = field(metadata=COUNT)
    refused: int = field(metadata=COUNT)
    warnings: int = field(metadata=COUNT)
    ignored_differences: int = field(default=0, metadata=COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDocument:
    """An approval in Git: of a risk (rule and address), or of deletes beyond the limits."""

    status: ApprovalStatus
    reason: str
    until: str = field(metadata=described("the last day on which it counts, in UTC"))
    source: SourceDocument
    rule: str = ""
    address: str = ""
    finding: str = field(default="", metadata=described("fingerprint of the only finding that it approves"))
    deletes: int = field(default=0, metadata=COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInChangeDocument:
    """A change since the base, of an attribute that decides who can sign in, that live state already has."""

    address: str
    attribute: Literal["issuer", "jwks_url", "token_url", "client_id", "attribute_mapping"]
    before: str | Mapping[str, Any] | None
    after: str | Mapping[str, Any] | None
    source: SourceDocument | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredDocument:
    """Attributes of a connection that differ from live state, and that `ignore_changes` names."""

    address: str
    attributes: tuple[WritableField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardDocument:
    """What the plan of a shard says so that the plans of all shards can be merged."""

    index: int = field(metadata=FROM_ONE)
    count: int = field(metadata=FROM_ONE)
    positions: Mapping[str, int]
    remarks: int = field(metadata=COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsDocument:
    """The files that a plan was made from; it is applied only beside the same files."""

    digest: str = field(metadata=pattern("^sha256:[0-9a-f]{64}$"))
    paths: tuple[str, ...] = field(
        metadata=described("paths of the command line, relative to the project file; empty: the project")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A whole plan, sealed by a digest over all of it."""

    format_version: str = field(metadata=pattern(r"^1\.[0-9]+$"))
    terraform_version: str = field(
        metadata=described("release of Terraform whose plans have this shape; nothing runs it")
    )
    reconciler_version: str = field(metadata=described("version of the program that wrote the plan"))
    timestamp: str = field(metadata=described("when the plan was made, RFC 3339 in UTC"))
    commit: str = field(metadata=described("Git revision of the manifests, empty if not known"))
    target: TargetDocument | None = field(
        metadata=described("null only if the run failed before there was a plan")
    )
    applyable: bool = field(metadata=flag("there are changes and nothing blocks them"))
    complete: bool = field(metadata=flag("everything that the run covers could be read and planned"))
    errored: bool = field(metadata=flag("an organization is refused, or the whole plan is blocked"))
    secrets_compared: bool = field(
        metadata=flag("live secrets were compared with those that the references lead to")
    )
    summary: PlanSummaryDocument
    resource_changes: tuple[ResourceChangeDocument, ...]
    planned_values: PlannedValuesDocument
    unmanaged: tuple[UnmanagedDocument, ...]
    diagnostics: tuple[DiagnosticDocument, ...]
    blocks: tuple[DiagnosticDocument, ...]
    risks: tuple[DiagnosticDocument, ...]
    approvals: tuple[ApprovalDocument, ...] = ()
    guards_compared: bool = field(
        default=False, metadata=flag("the guards were compared with those of a base (--changed-since)")
    )
    guards: tuple[DiagnosticDocument, ...] = ()
    already_live: tuple[SignInChangeDocument, ...] = ()
    ignored: tuple[IgnoredDocument, ...] = ()
    shard: ShardDocument | None = None
    inputs: InputsDocument | None = None
    refused_organizations: tuple[str, ...] = field(
        default=(),
        metadata=described("organizations, as manifests name them, that could not be planned as a whole"),
    )
    digest: str = field(metadata=pattern("^sha256:[0-9a-f]{64}$"))
