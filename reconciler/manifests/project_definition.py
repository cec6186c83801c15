"""What a project file holds: the one definition behind validation and JSON Schema."""

import sys
from typing import Annotated, Literal, TypeAlias

from reconciler.core.secret import SecretReference
from reconciler.manifests import text
from reconciler.manifests.constraints import Documented, Fits, NotEmpty, ReadBy, Unless, Within, closed
from reconciler.manifests.definition import (
    HOLDS_SECRET,
    DiscoveryMode,
    Text,
    plain_schema,
    read_off,
    reference_or,
)

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:  # what pydantic needs there
    from typing_extensions import TypedDict

RuleSeverity: TypeAlias = Annotated[
    Literal["error", "warn", "off"],
    ReadBy(read_off),
    Documented(schema={"enum": ["error", "warn", "off"]}),
]


ProjectId: TypeAlias = Annotated[str, Fits(text.PROJECT_ID), Unless(SecretReference)]
PublicToken: TypeAlias = Annotated[str, Fits(text.PUBLIC_TOKEN), Unless(SecretReference)]
BaseUrl: TypeAlias = Annotated[str, Fits(text.BASE_URL), Unless(SecretReference)]
Glob: TypeAlias = Annotated[str, Fits(text.GLOB)]

_REFERENCE = {"type": "string", "pattern": HOLDS_SECRET}


@closed
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


@closed
class DefaultsManifest(TypedDict, total=False):
    """What holds for every organization that does not say otherwise."""

    prune: Annotated[bool, Documented("Delete OIDC connections that are not declared.")]
    discovery: Annotated[
        DiscoveryMode,
        plain_schema(
            "How the identity provider's metadata is used.", {"enum": ["off", "report", "enforce"]}, "report"
        ),
    ]


@closed
class LimitsManifest(TypedDict, total=False):
    """How much one run may do, and how fast."""

    max_deletes: Annotated[int, Within(at_least=0), Documented("Connections one run may delete.", (3,))]
    max_delete_percent: Annotated[
        float,
        Within(at_least=0, at_most=100),
        Documented("The same as a share of the managed connections; the lower one counts."),
    ]
    requests_per_second: Annotated[
        float, Within(more_than=0, at_most=100_000), Documented("For the whole project.", (10,))
    ]
    concurrency: Annotated[int, Within(at_least=1, at_most=256), Documented("Requests at once.", (8,))]


@closed
class EnvManifest(TypedDict, total=False):
    """Secrets from environment variables."""

    allow: Annotated[
        list[Text],
        Documented("Globs for the variables that manifests may use.", (["*_CLIENT_SECRET"],)),
    ]


@closed
class FileManifest(TypedDict, total=False):
    """Secrets from files."""

    allow: Annotated[
        list[Text],
        Documented("Globs for files outside the project's folder.", (["/run/secrets/*"],)),
    ]


@closed
class SecretsManifest(TypedDict, total=False):
    """Which secrets manifests may refer to."""

    env: EnvManifest
    file: FileManifest


@closed
class ProjectManifest(TypedDict, total=False):
    """The project file. Every key has a default."""

    version: Annotated[int, Within(at_least=1, at_most=1), Documented("The version of this format.", (1,))]
    target: TargetManifest
    organizations: Annotated[
        list[Glob],
        NotEmpty(),
        Documented(
            "Globs for the organization manifests, from this file's folder.", (["organizations/**/*.yaml"],)
        ),
    ]
    vars: Annotated[
        dict[Annotated[str, Fits(text.VARIABLE)], Text],
        Documented("Variables for ${var:NAME}. Nothing secret.", ({"tenant": "acme"},)),
    ]
    defaults: DefaultsManifest
    limits: LimitsManifest
    policies: Annotated[
        dict[Annotated[str, Fits(text.RULE)], RuleSeverity],
        Documented("Rule id: error, warn or off.", ({"issuer-host-change": "error"},)),
    ]
    secrets: SecretsManifest
