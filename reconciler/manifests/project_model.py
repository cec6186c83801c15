"""The pydantic model of the project file, the source of its validation and of its JSON Schema."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, InstanceOf, WithJsonSchema, WrapValidator, with_config
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

from reconciler.core.secret import SecretReference
from reconciler.manifests import text_patterns
from reconciler.manifests.field_types import (
    STRICT,
    AcceptsReference,
    DiscoveryMode,
    SecretField,
    Text,
    read_off,
)


def _keep_reference(value: object, validate: Callable[[object], object]) -> object:
    """Return a reference as it is: the value it stands for is checked when it is resolved."""
    return value if isinstance(value, SecretReference) else validate(value)


ProjectId: TypeAlias = Annotated[str, Field(pattern=text_patterns.PROJECT_ID), WrapValidator(_keep_reference)]
PublicToken: TypeAlias = Annotated[
    str, Field(pattern=text_patterns.PUBLIC_TOKEN), WrapValidator(_keep_reference)
]
BaseUrl: TypeAlias = Annotated[str, Field(pattern=text_patterns.BASE_URL)]
Glob: TypeAlias = Annotated[str, Field(pattern=text_patterns.GLOB)]
HostGlob: TypeAlias = Annotated[str, Field(pattern=text_patterns.HOST_GLOB)]
NetworkText: TypeAlias = Annotated[str, Field(pattern=text_patterns.NETWORK)]
Recipient: TypeAlias = Annotated[str, Field(pattern=text_patterns.AGE_RECIPIENT)]
VariableName: TypeAlias = Annotated[str, Field(pattern=text_patterns.VARIABLE)]
RuleName: TypeAlias = Annotated[str, Field(pattern=text_patterns.RULE)]
RuleSeverity: TypeAlias = Annotated[Literal["error", "warn", "off"], BeforeValidator(read_off)]


@with_config(STRICT)
class TargetManifest(TypedDict, total=False):
    """The Stytch project of the manifests. What is not declared comes from the environment."""

    project_id: Annotated[
        ProjectId,
        AcceptsReference(),
        Field(
            description="The project ID. By default STYTCH_PROJECT_ID.", examples=["${env:STYTCH_PROJECT_ID}"]
        ),
    ]
    secret: Annotated[
        SecretField,
        Field(
            description="A reference to the project's secret. By default STYTCH_SECRET.",
            examples=["${env:STYTCH_SECRET}"],
        ),
    ]
    public_token: Annotated[
        PublicToken,
        AcceptsReference(),
        Field(
            description="Session mode: the project's public token. By default STYTCH_PUBLIC_TOKEN.",
            examples=["${env:STYTCH_PUBLIC_TOKEN}"],
        ),
    ]
    session_token: Annotated[
        SecretField,
        Field(
            description="A reference to a member's session token: in session mode, or with project_id and"
            " secret to use that member's permissions. By default STYTCH_SESSION_TOKEN.",
            examples=["${env:STYTCH_SESSION_TOKEN}"],
        ),
    ]
    session_jwt: Annotated[
        SecretField,
        Field(
            description="With project_id and secret: a reference to a member's session JWT, instead of the"
            " session token. It expires after five minutes. By default STYTCH_SESSION_JWT.",
            examples=["${env:STYTCH_SESSION_JWT}"],
        ),
    ]
    base_url: Annotated[
        BaseUrl,
        Field(
            description="The API's URL, for a custom domain or the emulator. By default that of the project."
            " Other hosts than Stytch's have to be named in STYTCH_BASE_URL or RECONCILER_ALLOWED_HOSTS.",
            examples=["https://login.example.com"],
        ),
    ]


@with_config(STRICT)
class DefaultsManifest(TypedDict, total=False):
    """Defaults for every organization."""

    prune: Annotated[bool, Field(description="Delete OIDC connections that are not declared.")]
    discovery: Annotated[
        DiscoveryMode,
        Field(description="The `discovery` of connections that declare none.", examples=["report"]),
    ]


@with_config(STRICT)
class LimitsManifest(TypedDict, total=False):
    """How much one run may do, and how fast."""

    max_deletes: Annotated[
        int, Field(ge=0, description="The number of connections one run may delete.", examples=[3])
    ]
    max_delete_percent: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="The same as a percentage of the managed connections; the lower limit applies.",
        ),
    ]
    requests_per_second: Annotated[
        float, Field(gt=0, le=100_000, description="For the whole project.", examples=[10])
    ]
    concurrency: Annotated[int, Field(ge=1, le=256, description="Concurrent requests.", examples=[8])]


@with_config(STRICT)
class EnvManifest(TypedDict, total=False):
    """Secrets from environment variables."""

    allow: Annotated[
        list[Text],
        Field(
            description="Globs for the variables that manifests may use. By default *_CLIENT_SECRET."
            " {organization} and {connection} stand for the names of the connection, in capitals and with"
            " underscores.",
            examples=[["*_CLIENT_SECRET"]],
        ),
    ]


@with_config(STRICT)
class FileManifest(TypedDict, total=False):
    """Secrets from files."""

    allow: Annotated[
        list[Text],
        Field(
            description="Globs that narrow which files outside the project's folder manifests may use."
            " The environment has to allow such files in RECONCILER_ALLOWED_FILES.",
            examples=[["/run/secrets/*"]],
        ),
    ]


AllowedLocators: TypeAlias = Annotated[
    list[Text],
    Field(
        description="Globs for the locators that manifests may use, by default none. A * matches any"
        " characters. {organization} and {connection} stand for the names of the connection that uses it.",
        examples=[["sso/{organization}#*"]],
    ),
]


@with_config(STRICT)
class AgeManifest(TypedDict, total=False):
    """Secrets from files in the project that are encrypted with age."""

    identity: Annotated[
        InstanceOf[SecretReference],
        WithJsonSchema({"type": "string", "pattern": r"^\$\{(?:env|file):[^{}]+\}$"}),
        Field(
            description="A reference to the age identity that decrypts the files: ${env:NAME} or"
            " ${file:PATH}.",
            examples=["${env:AGE_IDENTITY}"],
        ),
    ]
    recipients: Annotated[
        list[Recipient],
        Field(
            description="The public keys that `secrets encrypt` and `secrets rekey` encrypt for.",
            examples=[["age1f8a6nywdshna9tf49qjntgcup5wm7n0y7484acfvk4qljjcmhfuqhe9p4v"]],
        ),
    ]
    allow: AllowedLocators


@with_config(STRICT)
class StoreManifest(TypedDict, total=False):
    """Secrets from a store. Its address and the credentials for it come from the environment."""

    allow: AllowedLocators


_AwsSecretsManagerManifest = TypedDict("_AwsSecretsManagerManifest", {"aws-sm": StoreManifest}, total=False)


@with_config(STRICT)
class SecretsManifest(_AwsSecretsManagerManifest, total=False):
    """Which secrets manifests may refer to."""

    env: EnvManifest
    file: FileManifest
    age: AgeManifest
    vault: StoreManifest
    keyring: StoreManifest


@with_config(STRICT)
class IdpManifest(TypedDict, total=False):
    """How customers' identity providers are asked."""

    discovery: Annotated[
        DiscoveryMode,
        Field(
            description="The limit for the `discovery` of every connection: off, report or enforce."
            " By default report.",
            examples=["report"],
        ),
    ]
    allow_hosts: Annotated[
        list[HostGlob],
        Field(
            description="Globs of the allowed hosts. By default all.",
            examples=[["*.okta.com", "login.microsoftonline.com"]],
        ),
    ]
    allow_networks: Annotated[
        list[NetworkText],
        Field(
            description="Allowed private networks. They must also be in RECONCILER_ALLOWED_NETWORKS in the"
            " environment.",
            examples=[["10.20.0.0/16"]],
        ),
    ]
    ca_file: Annotated[
        Text,
        Field(
            description="A PEM file of certificates to trust in addition, in this file's folder or below it.",
            examples=["idp-ca.pem"],
        ),
    ]
    timeout: Annotated[
        float, Field(gt=0, le=60, description="Seconds for one document; 60 for all.", examples=[5])
    ]
    concurrency: Annotated[
        int, Field(ge=1, le=64, description="Concurrent requests, at most two to a host.", examples=[16])
    ]


@with_config(STRICT)
class DriftManifest(TypedDict, total=False):
    """What `drift` makes of live connections that no manifest declares: drift (exit code 2), or less."""

    undeclared: Annotated[
        Literal["drift", "report", "ignore"],
        Field(
            description="Active OIDC connections of declared organizations, by default drift. Pending ones"
            " are reported.",
            examples=["drift"],
        ),
    ]
    unknown_organizations: Annotated[
        Literal["drift", "report", "ignore"],
        Field(
            description="Organizations with active OIDC connections that no manifest names, by default"
            " report.",
            examples=["report"],
        ),
    ]


@with_config(STRICT)
class ProjectManifest(TypedDict, total=False):
    """The project file. Every key has a default."""

    version: Annotated[int, Field(ge=1, le=1, description="The version of this format.", examples=[1])]
    target: TargetManifest
    organizations: Annotated[
        list[Glob],
        Field(
            min_length=1,
            description="Globs for the organization manifests, relative to this file's folder.",
            examples=[["organizations/**/*.yaml"]],
        ),
    ]
    vars: Annotated[
        dict[VariableName, Text],
        Field(description="Variables for ${var:NAME}. Not for secrets.", examples=[{"tenant": "acme"}]),
    ]
    defaults: DefaultsManifest
    limits: LimitsManifest
    policies: Annotated[
        dict[RuleName, RuleSeverity],
        Field(description="Rule ID: error, warn or off.", examples=[{"issuer-host-change": "error"}]),
    ]
    secrets: SecretsManifest
    idp: IdpManifest
    drift: DriftManifest
    approvals: Annotated[
        list[Glob],
        Field(
            description="Globs for the files of approvals, relative to this file's folder.",
            examples=[["approvals/*.yaml"]],
        ),
    ]
