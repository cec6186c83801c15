"""The OIDC connection: one type for declared, live and sent connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal

from reconciler.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.secret import SecretReference

IdentityProvider = Literal[
    "classlink", "cyberark", "duo", "generic", "google-workspace", "jumpcloud", "keycloak",
    "miniorange", "microsoft-entra", "okta", "onelogin", "pingfederate", "rippling", "salesforce",
    "shibboleth",
]  # fmt: skip
"""The documented values of ``identity_provider`` (reference of Create OIDC Connection)."""

DEFAULT_IDENTITY_PROVIDER: Final = "generic"


class Status(StrEnum):
    """Derived by the server: a connection is active once all its fields are filled."""

    PENDING = "pending"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcConnection:
    """The fields of an OIDC connection; ``None`` means "not declared" or "not known".

    ``custom_scopes`` is a sorted tuple without repetitions, since scopes are a set.
    """

    display_name: str | None = None
    identity_provider: str | None = None
    issuer: str | None = None
    client_id: str | None = None
    client_secret: Secret | SecretReference | None = None
    authorization_url: str | None = None
    token_url: str | None = None
    userinfo_url: str | None = None
    jwks_url: str | None = None
    custom_scopes: tuple[str, ...] | None = None
    attribute_mapping: Mapping[str, str] | None = None
    # computed by the server, never sent
    connection_id: str | None = None
    redirect_url: str | None = None
    status: str | None = None

    @property
    def is_unconfigured(self) -> bool:
        """Whether this is what an interrupted create leaves behind: a name, and nothing else."""
        return self.status == Status.PENDING and not self.issuer and not self.client_id

    @property
    def hides_secret(self) -> bool:
        """Whether the service hides the live secret: it returns a mask, or nothing although active."""
        secret = self.client_secret
        if isinstance(secret, Secret) and not secret.is_empty:
            return secret.is_masked
        return self.status == Status.ACTIVE  # the service activates no connection without a secret

    @property
    def declared_fields(self) -> tuple[str, ...]:
        """The writable fields that have a value here, in the order of the manifest."""
        return tuple(name for name in WRITABLE_FIELDS if getattr(self, name) is not None)

    def only(self, names: tuple[str, ...] | frozenset[str]) -> OidcConnection:
        """Return a connection that has only the named fields."""
        return OidcConnection(**{name: getattr(self, name) for name in names})

    def without_secret(self) -> OidcConnection:
        """Return the same connection with no ``client_secret``."""
        return self if self.client_secret is None else replace(self, client_secret=None)

    def masked(self, secrets: Iterable[Secret] = ()) -> OidcConnection:
        """Return a live connection that can be shown: no value of it is, or holds, a secret.

        These are the given secrets and its own. Its ids and its provider stay, since they are acted on.
        """
        own = self.client_secret
        known = (*secrets, own) if isinstance(own, Secret) and not own.is_masked else tuple(secrets)
        hidden: dict[str, Any] = {
            name: _masked_value(value, known)
            for name in _MASKABLE_FIELDS
            if (value := getattr(self, name)) and _holds_secret(value, known)
        }
        return replace(self.without_secret(), **hidden) if hidden else self.without_secret()


COMPUTED_FIELDS: Final = ("connection_id", "redirect_url", "status")
"""Computed by the server, never sent."""

FIELDS: Final = tuple(field.name for field in fields(OidcConnection))

WRITABLE_FIELDS: Final = FIELDS[: -len(COMPUTED_FIELDS)]
"""What can be declared and sent: all others, which come first."""

WritableField = Literal[
    "display_name", "identity_provider", "issuer", "client_id", "client_secret",
    "authorization_url", "token_url", "userinfo_url", "jwks_url", "custom_scopes",
    "attribute_mapping",
]  # fmt: skip
"""The names in ``WRITABLE_FIELDS``."""

CREATE_FIELDS: Final = ("display_name", "identity_provider")
"""All that the create call accepts (reference of Create OIDC Connection)."""

SENSITIVE_FIELDS: Final = frozenset({"client_secret"})

InferredField = Literal["authorization_url", "token_url", "userinfo_url", "jwks_url"]

INFERRED_FIELDS: Final = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
"""Inferred by the server from the issuer's metadata when ``issuer`` changes, unless sent along."""

REQUIRED_TO_BECOME_ACTIVE: Final = ("issuer", "client_id", "client_secret")
"""What the server can never infer (reference of Update OIDC Connection)."""

MASKED: Final = "(sensitive value)"
"""Stands in a live connection that is shown for a value that is, or holds, a secret."""

_MASKABLE_FIELDS: Final = tuple(
    name for name in WRITABLE_FIELDS if name not in {"identity_provider", "client_secret"}
)


def _holds_secret(value: object, secrets: tuple[Secret, ...]) -> bool:
    if isinstance(value, str):
        return any(secret.is_in(value) for secret in secrets)
    if isinstance(value, Mapping):
        return any(_holds_secret(item, secrets) for pair in value.items() for item in pair)
    return isinstance(value, list | tuple) and any(_holds_secret(item, secrets) for item in value)


def _masked_value(value: object, secrets: tuple[Secret, ...]) -> object:
    if isinstance(value, Mapping):
        return {_masked_value(key, secrets): _masked_value(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_masked_value(item, secrets) for item in value)
    return MASKED if _holds_secret(value, secrets) else value
