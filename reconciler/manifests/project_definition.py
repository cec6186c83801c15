"""What a project file holds: the one definition behind validation and JSON Schema."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    with_config,
)
from typing_extensions import TypedDict  # what pydantic needs before Python 3.12

from reconciler.core.secret import SecretReference
from reconciler.manifests import text
from reconciler.manifests.definition import (
    CONFIGURATION,
    HOLDS_SECRET,
    DiscoveryMode,
    Text,
    plain_schema,
    read_off,
    reference_or,
)

RuleSeverity: TypeAlias = Annotated[
    Literal["error", "warn", "off"],
    BeforeValidator(read_off),
    WithJsonSchema({"enum": ["error", "warn", "off"]}),
]


def _keep_reference(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Leave a reference as it is: what it stands for is checked once it is read."""
    return value if isinstance(value, SecretReference) else check(value)


ProjectId: TypeAlias = Annotated[str, Field(pattern=text.PROJECT_ID), WrapValidator(_keep_reference)]
PublicToken: TypeAlias = Annotated[str, Field(pattern=text.PUBLIC_TOKEN), WrapValidator(_keep_reference)]
BaseUrl: TypeAlias = Annotated[str, Field(pattern=text.BASE_URL), WrapValidator(_keep_reference)]
Glob: TypeAlias = Annotated[str, Field(pattern=text.GLOB)]

_REFERENCE = {"type": "string", "pattern": HOLDS_SECRET}


@with_config(CONFIGURATION)
class TargetManifest(TypedDict, total=False):
    """Which Stytch project the manifests are for. What is not declared comes from the environment."""

    project_id: Annotated[
        ProjectId,
        reference_or(
            "The project's id. By default STYTCH_PROJECT_ID.",
            {"type": "string", "pattern": text.PROJECT_ID},
            "${env:STYTCH_PROJECT_ID}",
        ),
    ]
    secret: Annotated[
        SecretReference,
        plain_schema(
            "Where the project's secret is. By default STYTCH_SECRET.", _REFERENCE, "${env:STYTCH_SECRET}"
        ),
    ]
    public_token: Annotated[
        PublicToken,
        reference_or(
            "Session mode: the project's public token. By default STYTCH_PUBLIC_TOKEN.",
            {"type": "string", "pattern": text.PUBLIC_TOKEN},
            "${env:STYTCH_PUBLIC_TOKEN}",
        ),
    ]
    session_token: Annotated[
        SecretReference,
        plain_schema(
            "Where a member's session token is: in session mode, or so that with project_id and secret that"
            " member's permissions hold. By default STYTCH_SESSION_TOKEN.",
            _REFERENCE,
            "${env:STYTCH_SESSION_TOKEN}",
        ),
    ]
    session_jwt: Annotated[
        SecretReference,
        plain_schema(
            "With project_id and secret: where a member's session JWT is, instead of the session token."
            " It lives five minutes. By default STYTCH_SESSION_JWT.",
            _REFERENCE,
            "${env:STYTCH_SESSION_JWT}",
        ),
    ]
    base_url: Annotated[
        BaseUrl,
        reference_or(
            "The API's address, for a custom domain or the emulator. By default that of the project.",
            {"type": "string", "pattern": text.BASE_URL},
            "https://login.example.com",
        ),
    ]


@with_config(CONFIGURATION)
class DefaultsManifest(TypedDict, total=False):
    """What holds for every organization that does not say otherwise."""

    prune: Annotated[bool, Field(description="Delete OIDC connections that are not declared.")]
    discovery: Annotated[
        DiscoveryMode,
        plain_schema(
            "How the identity provider's metadata is used.", {"enum": ["off", "report", "enforce"]}, "report"
        ),
    ]


@with_config(CONFIGURATION)
class LimitsManifest(TypedDict, total=False):
    """How much one run may do, and how fast."""

    max_deletes: Annotated[int, Field(ge=0, description="Connections one run may delete.", examples=[3])]
    max_delete_percent: Annotated[
        float,
        Field(
            ge=0, le=100, description="The same as a share of the managed connections; the lower one counts."
        ),
    ]
    requests_per_second: Annotated[
        float, Field(gt=0, le=100_000, description="For the whole project.", examples=[10])
    ]
    concurrency: Annotated[int, Field(ge=1, le=256, description="Requests at once.", examples=[8])]


@with_config(CONFIGURATION)
class EnvManifest(TypedDict, total=False):
    """Secrets from environment variables."""

    allow: Annotated[
        list[Text],
        Field(description="Globs for the variables that manifests may use.", examples=[["*_CLIENT_SECRET"]]),
    ]


@with_config(CONFIGURATION)
class FileManifest(TypedDict, total=False):
    """Secrets from files."""

    allow: Annotated[
        list[Text],
        Field(description="Globs for files outside the project's folder.", examples=[["/run/secrets/*"]]),
    ]


@with_config(CONFIGURATION)
class SecretsManifest(TypedDict, total=False):
    """Which secrets manifests may refer to."""

    env: EnvManifest
    file: FileManifest


@with_config(CONFIGURATION)
class ProjectManifest(TypedDict, total=False):
    """The project file. Every key has a default."""

    version: Annotated[int, Field(ge=1, le=1, description="The version of this format.", examples=[1])]
    target: TargetManifest
    organizations: Annotated[
        list[Glob],
        Field(
            description="Globs for the organization manifests, from this file's folder.",
            examples=[["organizations/**/*.yaml"]],
            min_length=1,
        ),
    ]
    vars: Annotated[
        dict[Annotated[str, Field(pattern=text.VARIABLE)], Text],
        Field(description="Variables for ${var:NAME}. Nothing secret.", examples=[{"tenant": "acme"}]),
    ]
    defaults: DefaultsManifest
    limits: LimitsManifest
    policies: Annotated[
        dict[Annotated[str, Field(pattern=text.RULE)], RuleSeverity],
        Field(description="Rule id: error, warn or off.", examples=[{"issuer-host-change": "error"}]),
    ]
    secrets: SecretsManifest


PROJECT: Final[TypeAdapter[ProjectManifest]] = TypeAdapter(ProjectManifest)
