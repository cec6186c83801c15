"""What an organization manifest holds: the one definition behind validation and JSON Schema."""

import sys
from datetime import date
from typing import Annotated, Any, Final, Literal, Required, TypeAlias, get_args

from reconciler.core.connection import IdentityProvider
from reconciler.core.secret import SecretReference
from reconciler.manifests import text
from reconciler.manifests.constraints import Documented, Fits, ReadBy, closed
from reconciler.manifests.scalars import Misread, parse_date
from reconciler.secrets import SCHEMES

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:  # what pydantic needs there
    from typing_extensions import TypedDict

HOLDS_REFERENCE: Final = r"\$\{[a-z][a-z0-9-]*:[^{}]+\}"
HOLDS_SECRET: Final = rf"(?:^|[^$])\$\{{(?:{'|'.join(SCHEMES)}):[^{{}}]+\}}"


def reference_or(description: str, schema: dict[str, Any], *examples: object) -> Documented:
    """Return the JSON Schema of a text that a reference may also stand for, whole or in part."""
    reference = {"type": "string", "pattern": HOLDS_REFERENCE}
    return Documented(description, examples, {"anyOf": [schema, reference]})


def _url(description: str, pattern: str, example: str) -> Documented:
    return reference_or(description, {"type": "string", "format": "uri", "pattern": pattern}, example)


def plain_schema(description: str, schema: dict[str, Any], *examples: object) -> Documented:
    """Return the JSON Schema of a value that no variable stands for, or that is checked as written."""
    return Documented(description, examples, schema)


def _split_scopes(value: object) -> object:
    return value.split(" ") if isinstance(value, str) and value else value


def _read_date(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = parse_date(value)
    if found is None:
        raise ValueError("not a date")
    return found


def read_off(value: object) -> object:
    """Return a bare ``off``, which YAML 1.1 takes for a boolean, as the word it is."""
    return "off" if value is Misread.OFF else value


LONGEST_TEXT: Final = 2048
LONGEST_DISPLAY_NAME: Final = 128

Text: TypeAlias = Annotated[str, Fits(text.TRIMMED, LONGEST_TEXT)]
DisplayName: TypeAlias = Annotated[str, Fits(text.TRIMMED, LONGEST_DISPLAY_NAME)]
Issuer: TypeAlias = Annotated[str, Fits(text.ISSUER, LONGEST_TEXT)]
Endpoint: TypeAlias = Annotated[str, Fits(text.ENDPOINT, LONGEST_TEXT)]
Scope: TypeAlias = Annotated[str, Fits(text.SCOPE, 256)]
OrganizationId: TypeAlias = Annotated[str, Fits(text.ORGANIZATION_ID)]
ConnectionId: TypeAlias = Annotated[str, Fits(text.CONNECTION_ID)]
ConnectionName: TypeAlias = Annotated[str, Fits(text.CONNECTION_NAME)]
DiscoveryMode: TypeAlias = Annotated[Literal["off", "report", "enforce"], ReadBy(read_off)]
FieldName: TypeAlias = Literal[
    "display_name",
    "identity_provider",
    "issuer",
    "client_id",
    "client_secret",
    "authorization_url",
    "token_url",
    "userinfo_url",
    "jwks_url",
    "custom_scopes",
    "attribute_mapping",
]

_NAME = {"type": "string", "minLength": 1, "maxLength": LONGEST_DISPLAY_NAME, "pattern": text.TRIMMED}
_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": text.TRIMMED}
_SCOPES = text.SCOPE[:-1] + "(?: " + text.SCOPE[1:-1] + ")*$"
_SCOPE = {"type": "string", "pattern": text.SCOPE}


@closed
class LifecycleManifest(TypedDict, total=False):
    """Limits on what any plan may do to the connection."""

    prevent_destroy: Annotated[bool, Documented("Refuse every plan that would delete the connection.")]
    ignore_changes: Annotated[
        list[FieldName],
        Documented("Fields that are neither compared nor changed.", (["display_name"],)),
    ]


@closed
class ConnectionManifest(TypedDict, total=False):
    """One OIDC connection. What is not declared is unmanaged: never compared, sent or blanked."""

    display_name: Annotated[
        DisplayName,
        reference_or(
            "The name people see. By default the connection's name in this file.", _NAME, "Acme Okta"
        ),
    ]
    identity_provider: Annotated[
        IdentityProvider,
        reference_or(
            "The product behind the connection. The server takes generic if nothing is declared.",
            {"enum": list(get_args(IdentityProvider))},
            "okta",
        ),
    ]
    issuer: Annotated[
        Issuer,
        _url(
            "The issuer of the identity provider, exactly as it stands in its tokens.",
            text.ISSUER,
            "https://acme.okta.com",
        ),
    ]
    client_id: Annotated[
        Text, reference_or("The id of the client registered at the identity provider.", _TEXT, "0oa1b2c3d4")
    ]
    client_secret: Annotated[
        SecretReference,
        plain_schema(
            "Where the client's secret is. Never the secret itself.",
            {"type": "string", "pattern": HOLDS_SECRET},
            "${env:ACME_OKTA_CLIENT_SECRET}",
            "${file:secrets/acme-okta}",
        ),
    ]
    authorization_url: Annotated[
        Endpoint,
        _url(
            "Where logins start. Left to the server if not declared.",
            text.ENDPOINT,
            "https://acme.okta.com/oauth2/v1/authorize",
        ),
    ]
    token_url: Annotated[
        Endpoint,
        _url(
            "Where codes are exchanged. Left to the server if not declared.",
            text.ENDPOINT,
            "https://acme.okta.com/oauth2/v1/token",
        ),
    ]
    userinfo_url: Annotated[
        Endpoint,
        _url(
            "Where claims are read. Left to the server if not declared.",
            text.ENDPOINT,
            "https://acme.okta.com/oauth2/v1/userinfo",
        ),
    ]
    jwks_url: Annotated[
        Endpoint,
        _url(
            "Where signing keys are. Left to the server if not declared.",
            text.ENDPOINT,
            "https://acme.okta.com/oauth2/v1/keys",
        ),
    ]
    custom_scopes: Annotated[
        list[Scope],
        ReadBy(_split_scopes),
        reference_or(
            "The scopes asked for at login, as a list or separated by single spaces.",
            {"anyOf": [{"type": "array", "items": _SCOPE}, {"type": "string", "pattern": _SCOPES}]},
            ["openid", "profile", "email", "groups"],
            "openid profile email",
        ),
    ]
    attribute_mapping: Annotated[
        dict[Text, Text],
        Documented("Attribute of the member: claim of the identity provider.", ({"groups": "groups"},)),
    ]
    connection_id: Annotated[
        ConnectionId,
        reference_or(
            "Pin: the connection's id, once it exists.",
            {"type": "string", "pattern": text.CONNECTION_ID},
            "oidc-connection-live-6f1b0c1e-0b43-4d52-9d3e-0f3a5c0a7d11",
        ),
    ]
    previous_display_names: Annotated[
        list[DisplayName],
        Documented("Names the connection had before: renames it without a pin.", (["Acme SSO"],)),
    ]
    state: Annotated[
        Literal["present", "absent"],
        plain_schema(
            "absent: the connection is deleted.",
            {"enum": ["present", "absent"], "default": "present"},
            "present",
        ),
    ]
    discovery: Annotated[
        DiscoveryMode,
        plain_schema(
            "How the identity provider's own metadata is used.",
            {"enum": ["off", "report", "enforce"]},
            "report",
        ),
    ]
    secret_expires_on: Annotated[
        date,
        ReadBy(_read_date),
        plain_schema("When the client's secret expires.", {"type": "string", "format": "date"}, "2027-03-31"),
    ]
    lifecycle: LifecycleManifest


@closed
class OrganizationManifest(TypedDict, total=False):
    """The OIDC connections of one organization."""

    organization: Required[
        Annotated[
            str,
            Fits(text.ORGANIZATION),
            reference_or(
                "Its organization_id, slug or external id.",
                {"type": "string", "pattern": text.ORGANIZATION},
                "acme",
            ),
        ]
    ]
    organization_id: Annotated[
        OrganizationId,
        reference_or(
            "Pin: the run refuses this document if `organization` turns out to be another one.",
            {"type": "string", "pattern": text.ORGANIZATION_ID},
            "organization-live-0d5e7c4a-4b8e-4f39-8c0c-5b1a6f3e2d10",
        ),
    ]
    prune: Annotated[
        bool,
        Documented("Delete OIDC connections of this organization that are not declared here."),
    ]
    connections: Annotated[
        dict[ConnectionName, ConnectionManifest],
        Documented("Stable name: connection. The address is organization/name."),
    ]
