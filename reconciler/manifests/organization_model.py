"""The pydantic model of an organization manifest, the source of its validation and of its JSON Schema.

What is not declared is absent from these mappings; there are no defaults.
"""

from datetime import date
from typing import Annotated, Final, Literal, Required, TypeAlias, TypeVar

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12

from reconciler.core.connection import IdentityProvider, WritableField
from reconciler.manifests import text_patterns
from reconciler.manifests.field_types import (
    BY_ENVIRONMENT,
    COMMAS_IN_SCOPES,
    LONGEST_TEXT,
    ONE_ID,
    STRICT,
    AcceptsReference,
    DiscoveryMode,
    SecretField,
    Text,
    kind_of_ids,
    without,
)
from reconciler.manifests.yaml_reader import parse_date

LONGEST_DISPLAY_NAME: Final = 128

_SCOPES: Final = f"{text_patterns.SCOPE[:-1]}(?: {text_patterns.SCOPE[1:-1]})*$"


def _split_scopes(value: object) -> object:
    if isinstance(value, str) and "," in value:
        raise PydanticCustomError(COMMAS_IN_SCOPES, "commas between scopes")
    return value.split(" ") if isinstance(value, str) and value else value


def _read_date(value: object) -> object:
    if not isinstance(value, str):
        return value
    day = parse_date(value)
    if day is None:
        raise ValueError("not a date")
    return day


DisplayName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=LONGEST_DISPLAY_NAME, pattern=text_patterns.TRIMMED)
]
OrganizationName: TypeAlias = Annotated[str, Field(pattern=text_patterns.ORGANIZATION)]
OrganizationId: TypeAlias = Annotated[str, Field(pattern=text_patterns.ORGANIZATION_ID)]
ConnectionId: TypeAlias = Annotated[str, Field(pattern=text_patterns.CONNECTION_ID)]
EnvironmentKey: TypeAlias = Annotated[str, Field(pattern=text_patterns.ENVIRONMENT)]
Id = TypeVar("Id")
Ids: TypeAlias = Annotated[
    Annotated[Id, AcceptsReference(), Tag(ONE_ID)]
    | Annotated[
        dict[EnvironmentKey, Annotated[Id, AcceptsReference()]], Field(min_length=1), Tag(BY_ENVIRONMENT)
    ],
    Discriminator(kind_of_ids),
]
ConnectionName: TypeAlias = Annotated[str, Field(pattern=text_patterns.CONNECTION_NAME)]
Issuer: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_TEXT, pattern=text_patterns.ISSUER),
    without(text_patterns.PLACEHOLDER),
    without(text_patterns.WELL_KNOWN),
    AcceptsReference("uri", f"{text_patterns.PLACEHOLDER}|{text_patterns.WELL_KNOWN}"),
]
Endpoint: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_TEXT, pattern=text_patterns.ENDPOINT),
    without(text_patterns.PLACEHOLDER),
    AcceptsReference("uri", text_patterns.PLACEHOLDER),
]
Scope: TypeAlias = Annotated[str, Field(min_length=1, max_length=256, pattern=text_patterns.SCOPE)]
Scopes: TypeAlias = Annotated[
    list[Scope],
    BeforeValidator(
        _split_scopes, json_schema_input_type=list[Scope] | Annotated[str, Field(pattern=_SCOPES)]
    ),
]
ExpiryDate: TypeAlias = Annotated[date, BeforeValidator(_read_date)]


@with_config(STRICT)
class LifecycleManifest(TypedDict, total=False):
    """Limits on what any plan may do to the connection."""

    prevent_destroy: Annotated[bool, Field(description="Refuse every plan that would delete the connection.")]
    ignore_changes: Annotated[
        list[WritableField],
        Field(description="Fields that are neither compared nor changed.", examples=[["display_name"]]),
    ]


_PINNED_IF_UNMANAGED: Final[dict[str, JsonValue]] = {
    "if": {"properties": {"state": {"const": "unmanaged"}}, "required": ["state"]},
    "then": {"required": ["connection_id"]},
}


@with_config(ConfigDict(**STRICT, json_schema_extra=_PINNED_IF_UNMANAGED))
class ConnectionManifest(TypedDict, total=False):
    """One OIDC connection. What is not declared is unmanaged: never compared, sent or blanked."""

    display_name: Annotated[
        DisplayName,
        AcceptsReference(),
        Field(
            description="The name people see. By default the connection's name in this file.",
            examples=["Acme Okta"],
        ),
    ]
    identity_provider: Annotated[
        IdentityProvider,
        AcceptsReference(),
        Field(
            description="The product behind the connection. The server uses generic if nothing is declared.",
            examples=["okta"],
        ),
    ]
    issuer: Annotated[
        Issuer,
        Field(
            description="The issuer of the identity provider, exactly as in its tokens.",
            examples=["https://acme.okta.com"],
        ),
    ]
    client_id: Annotated[
        Text,
        AcceptsReference(),
        Field(
            description="The ID of the client registered at the identity provider.", examples=["0oa1b2c3d4"]
        ),
    ]
    client_secret: Annotated[
        SecretField,
        Field(
            description="A reference to the client secret, never the secret itself.",
            examples=["${env:ACME_OKTA_CLIENT_SECRET}", "${file:secrets/acme-okta}"],
        ),
    ]
    authorization_url: Annotated[
        Endpoint,
        Field(
            description="The authorization endpoint. Set by the server if not declared.",
            examples=["https://acme.okta.com/oauth2/v1/authorize"],
        ),
    ]
    token_url: Annotated[
        Endpoint,
        Field(
            description="The token endpoint. Set by the server if not declared.",
            examples=["https://acme.okta.com/oauth2/v1/token"],
        ),
    ]
    userinfo_url: Annotated[
        Endpoint,
        Field(
            description="The userinfo endpoint. Set by the server if not declared.",
            examples=["https://acme.okta.com/oauth2/v1/userinfo"],
        ),
    ]
    jwks_url: Annotated[
        Endpoint,
        Field(
            description="The URL of the signing keys. Set by the server if not declared.",
            examples=["https://acme.okta.com/oauth2/v1/keys"],
        ),
    ]
    custom_scopes: Annotated[
        Scopes,
        AcceptsReference(),
        Field(
            description="The scopes requested at login, as a list or separated by single spaces.",
            examples=[["openid", "profile", "email", "groups"], "openid profile email"],
        ),
    ]
    attribute_mapping: Annotated[
        dict[Text, Text],
        Field(
            description="Member attribute: claim of the identity provider.", examples=[{"groups": "groups"}]
        ),
    ]
    connection_id: Annotated[
        Ids[ConnectionId],
        Field(
            description="Pin: the ID of the connection, once it exists; or a map of such IDs from test, "
            "live or a project_id, which takes precedence.",
            examples=[
                "oidc-connection-live-6f1b0c1e-0b43-4d52-9d3e-0f3a5c0a7d11",
                {"test": "oidc-connection-test-2f7a51d0-9f0e-4f3b-a3c5-7d1c6b0e8f42"},
            ],
        ),
    ]
    previous_display_names: Annotated[
        list[DisplayName],
        Field(
            description="Earlier names of the connection: renames it without a pin.", examples=[["Acme SSO"]]
        ),
    ]
    default: Annotated[
        Literal[True],
        Field(
            description="Make it the organization's default connection. At most one; the default is left "
            "as it is if no connection says so."
        ),
    ]
    state: Annotated[
        Literal["present", "absent", "unmanaged"],
        Field(
            description="absent: the connection is deleted. unmanaged: the connection with this "
            "connection_id is known and left alone, and never compared, pruned or drift.",
            examples=["present"],
            json_schema_extra={"default": "present"},
        ),
    ]
    discovery: Annotated[
        DiscoveryMode,
        Field(
            description="How the identity provider's metadata is used: off never contacts the provider,"
            " report predicts and compares, enforce also takes undeclared URLs from it. `idp.discovery` in"
            " the project file is the upper limit.",
            examples=["report"],
        ),
    ]
    secret_expires_on: Annotated[
        ExpiryDate, Field(description="When the client secret expires.", examples=["2027-03-31"])
    ]
    lifecycle: LifecycleManifest


@with_config(STRICT)
class OrganizationManifest(TypedDict, total=False):
    """The OIDC connections of one organization."""

    organization: Required[
        Annotated[
            OrganizationName,
            AcceptsReference(),
            Field(description="Its organization_id, slug or external ID.", examples=["acme"]),
        ]
    ]
    organization_id: Annotated[
        Ids[OrganizationId],
        Field(
            description="Pin: the document is rejected if `organization` resolves to a different one. One "
            "ID, or a map of IDs from test, live or a project_id, which takes precedence.",
            examples=[
                "organization-live-0d5e7c4a-4b8e-4f39-8c0c-5b1a6f3e2d10",
                {"test": "organization-test-8c1d4e6f-7a2b-4c3d-9e0f-1a2b3c4d5e6f"},
            ],
        ),
    ]
    prune: Annotated[
        bool, Field(description="Delete OIDC connections of this organization that are not declared here.")
    ]
    connections: Annotated[
        dict[ConnectionName, ConnectionManifest],
        Field(description="Connections by a stable name. The address is organization/name."),
    ]
