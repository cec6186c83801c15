"""The JSON document of a plan, in the shape of Terraform's: what `--format json` prints and `--out` saves.

It holds no secret: sensitive values are null, and what is needed to find them again are references.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from reconciler.core.approval import ApprovalStatus
from reconciler.core.change import Action, ActionReason
from reconciler.core.connection import InferredField, WritableField
from reconciler.core.document_parts import (
    ADDRESS,
    ATTRIBUTES,
    COMMIT,
    COUNT,
    FROM_ONE,
    VERSION_1,
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

    connection_id: str | None = field(default=None, metadata=ATTRIBUTES["connection_id"])
    display_name: str | None = field(default=None, metadata=ATTRIBUTES["display_name"])
    identity_provider: str | None = field(default=None, metadata=ATTRIBUTES["identity_provider"])
    issuer: str | None = field(default=None, metadata=ATTRIBUTES["issuer"])
    client_id: str | None = field(default=None, metadata=ATTRIBUTES["client_id"])
    authorization_url: str | None = field(default=None, metadata=ATTRIBUTES["authorization_url"])
    token_url: str | None = field(default=None, metadata=ATTRIBUTES["token_url"])
    userinfo_url: str | None = field(default=None, metadata=ATTRIBUTES["userinfo_url"])
    jwks_url: str | None = field(default=None, metadata=ATTRIBUTES["jwks_url"])
    custom_scopes: tuple[str, ...] | None = field(default=None, metadata=ATTRIBUTES["custom_scopes"])
    attribute_mapping: Mapping[str, Any] | None = field(
        default=None, metadata=ATTRIBUTES["attribute_mapping"]
    )
    client_secret: None = field(default=None, metadata=ATTRIBUTES["client_secret"])
    redirect_url: str | None = field(default=None, metadata=ATTRIBUTES["redirect_url"])
    status: str | None = field(default=None, metadata=ATTRIBUTES["status"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributesWithSecret(Attributes):
    """The attributes of a connection that has a secret, whose value is never in a plan."""

    client_secret: None = field(metadata=described("always null: there is a secret, which no plan holds"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitiveAttributes:
    """Marks the attributes that have a value which is not shown."""

    client_secret: Yes | None = field(default=None, metadata=described("true if there is a secret"))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAttributes:
    """Marks the attributes whose value is known only after apply."""

    connection_id: Yes | None = field(default=None, metadata=described("true if only the service can say"))
    authorization_url: Yes | None = field(
        default=None, metadata=described("true if only the service can say")
    )
    token_url: Yes | None = field(default=None, metadata=described("true if only the service can say"))
    userinfo_url: Yes | None = field(default=None, metadata=described("true if only the service can say"))
    jwks_url: Yes | None = field(default=None, metadata=described("true if only the service can say"))
    redirect_url: Yes | None = field(default=None, metadata=described("true if only the service can say"))
    status: Yes | None = field(default=None, metadata=described("true if only the service can say"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDocument:
    """A connection before and after a change."""

    actions: tuple[Literal[Action.CREATE, Action.UPDATE, Action.DELETE]] = field(
        metadata=described("one of create, update and delete, in a list")
    )
    before: AttributesWithSecret | Attributes | None = field(
        metadata=described("live attributes; null for a create")
    )
    after: AttributesWithSecret | Attributes | None = field(
        metadata=described("attributes after apply; null for a delete")
    )
    after_unknown: UnknownAttributes = field(metadata=described("attributes that only the service can say"))
    before_sensitive: Literal[False] | SensitiveAttributes = field(
        metadata=described("attributes of `before` that have a value which is not shown")
    )
    after_sensitive: Literal[False] | SensitiveAttributes = field(
        metadata=described("attributes of `after` that have a value which is not shown")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatorDocument:
    """One ``${scheme:path}`` in a secret reference."""

    scheme: str = field(metadata=described("what holds the secret, such as env or file"))
    path: str = field(metadata=described("where it is there, such as the name of a variable"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralDocument:
    """The text around the locators of a secret reference."""

    literal: str = field(metadata=described("the text"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReferenceDocument:
    """Where a secret is, as written in the manifest, and in parts."""

    text: str = field(metadata=described("as written in the manifest"))
    parts: tuple[LocatorDocument | LiteralDocument, ...] = field(
        metadata=described("references and the text between them, in order")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerMetadataDocument:
    """The endpoints that the issuer's own metadata names."""

    authorization_url: str | None = field(default=None, metadata=described("its `authorization_endpoint`"))
    token_url: str | None = field(default=None, metadata=described("its `token_endpoint`"))
    userinfo_url: str | None = field(default=None, metadata=described("its `userinfo_endpoint`"))
    jwks_url: str | None = field(default=None, metadata=described("its `jwks_uri`"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChangeDocument:
    """One change, and what apply needs to carry it out."""

    address: str = field(
        metadata=described("organization/connection, or the organization if its default connection changes")
    )
    mode: Literal["managed"] = field(metadata=described("always `managed`"))
    type: Literal["oidc_connection", "organization_default_connection"] = field(
        metadata=described("what changes: a connection, or which one is the default of its organization")
    )
    name: str = field(metadata=described("the connection's name in its manifest"))
    provider_name: Literal["stytch"] = field(metadata=described("always `stytch`"))
    organization: str = field(metadata=described("the organization as its manifest names it"))
    organization_id: str = field(metadata=described("the organization's real id"))
    change: ChangeDocument = field(metadata=described("what changes"))
    action_reason: ActionReason | None = field(
        default=None, metadata=described("why the action is needed, if that is not obvious")
    )
    source: SourceDocument | None = field(default=None, metadata=described("the place in the manifest"))
    declared: tuple[WritableField, ...] | None = field(
        default=None, metadata=described("attributes that the manifest declares")
    )
    secret_reference: SecretReferenceDocument | None = field(
        default=None, metadata=described("where the secret is that apply sends")
    )
    changed: tuple[WritableField, ...] | None = field(
        default=None, metadata=described("attributes that differ")
    )
    uncomparable: tuple[Literal["client_secret"], ...] | None = field(
        default=None,
        metadata=described("attributes that the service masks, so that they could not be compared"),
    )
    issuer_metadata: IssuerMetadataDocument | None = field(
        default=None,
        metadata=described(
            "endpoints in the issuer's own metadata, if it was fetched: the values to expect of attributes in"
            " `after_unknown`"
        ),
    )
    enforced: tuple[InferredField, ...] | None = field(
        default=None,
        metadata=described(
            "attributes in `declared` that were taken from the issuer's metadata (`discovery: enforce`)"
        ),
    )
    namesakes: tuple[str, ...] | None = field(
        default=None,
        metadata=described("IDs of other connections with the declared name, when the plan was made"),
    )
    resumes: ConnectionDocument | None = field(
        default=None, metadata=described("the empty connection of an interrupted create that is completed")
    )
    default: str | None = field(
        default=None, metadata=described("the manifest's name of the new default connection")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedResourceDocument:
    """A connection as it will be, where tools for Terraform's plans look for it."""

    address: str = field(metadata=ADDRESS)
    mode: Literal["managed"] = field(metadata=described("always `managed`"))
    type: Literal["oidc_connection"] = field(metadata=described("always `oidc_connection`"))
    name: str = field(metadata=described("the connection's name in its manifest"))
    provider_name: Literal["stytch"] = field(metadata=described("always `stytch`"))
    values: AttributesWithSecret | Attributes = field(metadata=described("attributes after apply"))
    sensitive_values: Literal[False] | SensitiveAttributes = field(
        metadata=described("attributes that have a value which is not shown")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RootModuleDocument:
    """The only module of a plan."""

    resources: tuple[PlannedResourceDocument, ...] = field(
        metadata=described("connections that are created or updated")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedValuesDocument:
    """All connections as they will be."""

    root_module: RootModuleDocument = field(metadata=described("the only module"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummaryDocument:
    """The counts of a plan, of connections except for ``organizations`` and ``refused``."""

    add: int = field(metadata=COUNT | described("connections to create"))
    change: int = field(
        metadata=COUNT | described("connections to update, and default connections to change")
    )
    destroy: int = field(metadata=COUNT | described("connections to delete"))
    unchanged: int = field(metadata=COUNT | described("declared connections without a change"))
    unmanaged: int = field(metadata=COUNT | described("live connections that no manifest declares"))
    managed: int = field(metadata=COUNT | described("live connections that a manifest declares"))
    organizations: int = field(metadata=COUNT | described("organizations that were planned"))
    refused: int = field(metadata=COUNT | described("organizations that could not be planned"))
    warnings: int = field(metadata=COUNT | described("warnings and remarks"))
    ignored_differences: int = field(
        default=0, metadata=COUNT | described("differing attributes that `ignore_changes` names")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDocument:
    """An approval in Git: of a risk (rule and address), or of deletes beyond the limits."""

    status: ApprovalStatus = field(metadata=described("whether the plan uses it, or why not"))
    reason: str = field(metadata=described("why it was approved"))
    until: str = field(metadata=described("the last day on which it counts, in UTC"))
    source: SourceDocument = field(metadata=described("the place in the approvals file"))
    rule: str = field(default="", metadata=described("the risk rule; left out for deletes"))
    address: str = field(default="", metadata=described("organization/connection; left out for deletes"))
    finding: str = field(default="", metadata=described("fingerprint of the only finding that it approves"))
    deletes: int = field(default=0, metadata=COUNT | described("number of deletes beyond the limits"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInChangeDocument:
    """A change since the base, of an attribute that decides who can sign in, that live state already has."""

    address: str = field(metadata=ADDRESS)
    attribute: Literal["issuer", "jwks_url", "token_url", "client_id", "attribute_mapping"] = field(
        metadata=described("the attribute")
    )
    before: str | Mapping[str, Any] | None = field(metadata=described("value that the base declared"))
    after: str | Mapping[str, Any] | None = field(metadata=described("value that is declared now"))
    source: SourceDocument | None = field(default=None, metadata=described("the place in the manifest"))


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredDocument:
    """Attributes of a connection that differ from live state, and that `ignore_changes` names."""

    address: str = field(metadata=ADDRESS)
    attributes: tuple[WritableField, ...] = field(metadata=described("the attributes that differ"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardDocument:
    """What the plan of a shard says so that the plans of all shards can be merged."""

    index: int = field(metadata=FROM_ONE | described("number of the shard, from 1"))
    count: int = field(metadata=FROM_ONE | described("number of shards"))
    positions: Mapping[str, int] = field(
        metadata=described("organization: its position among those of all shards")
    )
    remarks: int = field(metadata=COUNT | described("number of diagnostics that every shard has"))


@dataclass(frozen=True, slots=True, kw_only=True)
class InputsDocument:
    """The files that a plan was made from; it is applied only beside the same files."""

    digest: str = field(
        metadata=pattern("^sha256:[0-9a-f]{64}$")
        | described("SHA-256 of the bytes of all manifests, the project file and the approvals")
    )
    paths: tuple[str, ...] = field(
        metadata=described("paths of the command line, relative to the project file; empty: the project")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A whole plan, sealed by a digest over all of it."""

    format_version: str = field(metadata=VERSION_1)
    terraform_version: str = field(
        metadata=described("release of Terraform whose plans have this shape; nothing runs it")
    )
    reconciler_version: str = field(metadata=described("version of the program that wrote the plan"))
    timestamp: str = field(metadata=described("when the plan was made, RFC 3339 in UTC"))
    commit: str = field(metadata=COMMIT)
    target: TargetDocument | None = field(
        metadata=described("null only if the run failed before there was a plan")
    )
    applyable: bool = field(metadata=flag("there are changes and nothing blocks them"))
    complete: bool = field(metadata=flag("everything that the run covers could be read and planned"))
    errored: bool = field(metadata=flag("an organization is refused, or the whole plan is blocked"))
    secrets_compared: bool = field(
        metadata=flag("live secrets were compared with those that the references lead to")
    )
    summary: PlanSummaryDocument = field(metadata=described("number of changes, organizations and warnings"))
    resource_changes: tuple[ResourceChangeDocument, ...] = field(
        metadata=described("one entry for each change")
    )
    planned_values: PlannedValuesDocument = field(
        metadata=described("the values that changed connections will have")
    )
    unmanaged: tuple[UnmanagedDocument, ...] = field(
        metadata=described("live connections that no manifest declares")
    )
    diagnostics: tuple[DiagnosticDocument, ...] = field(
        metadata=described("errors and warnings about manifests and organizations")
    )
    blocks: tuple[DiagnosticDocument, ...] = field(metadata=described("reasons that block the whole plan"))
    risks: tuple[DiagnosticDocument, ...] = field(metadata=described("findings of the risk rules"))
    approvals: tuple[ApprovalDocument, ...] = field(
        default=(), metadata=described("approvals that the plan uses, or that are expired or not needed")
    )
    guards_compared: bool = field(
        default=False, metadata=flag("the guards were compared with those of a base (--changed-since)")
    )
    guards: tuple[DiagnosticDocument, ...] = field(
        default=(),
        metadata=described("guards that the change lowers, and files whose base could not be read"),
    )
    already_live: tuple[SignInChangeDocument, ...] = field(
        default=(),
        metadata=described(
            "changes since the base, of attributes that decide who can sign in, that live state already has"
        ),
    )
    ignored: tuple[IgnoredDocument, ...] = field(
        default=(),
        metadata=described(
            "declared attributes that differ from live state, and that `ignore_changes` names"
        ),
    )
    shard: ShardDocument | None = field(
        default=None,
        metadata=described("which shard the plan is of; left out in the plan of a whole project"),
    )
    inputs: InputsDocument | None = field(
        default=None, metadata=described("the files that the plan was made from")
    )
    refused_organizations: tuple[str, ...] = field(
        default=(),
        metadata=described("organizations, as manifests name them, that could not be planned as a whole"),
    )
    digest: str = field(
        metadata=pattern("^sha256:[0-9a-f]{64}$")
        | described("SHA-256 of the document without this key, to detect changes to the file")
    )
