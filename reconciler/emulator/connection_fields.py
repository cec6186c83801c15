"""Checks the fields of an OIDC connection in a request body: types, limits, and the stored form."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from reconciler.emulator.errors import ApiError, typed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject


URL_FIELDS = ("authorization_url", "token_url", "userinfo_url", "jwks_url")
UPDATE_FIELDS = (
    "display_name", "identity_provider", "issuer", "client_id", "client_secret", *URL_FIELDS,
    "custom_scopes", "attribute_mapping",
)  # fmt: skip
IDENTITY_PROVIDERS = frozenset((
    "classlink", "cyberark", "duo", "generic", "google-workspace", "jumpcloud", "keycloak", "miniorange",
    "microsoft-entra", "okta", "onelogin", "pingfederate", "rippling", "salesforce", "shibboleth",
))  # fmt: skip
# SDKs repeat these from the path
_FROM_PATH = ("organization_id", "connection_id")
_LONGEST_NAME, _LONGEST_SECRET = 128, 4096


def check_known_keys(context: Context, body: JsonObject, known: Iterable[str]) -> None:
    """Raise `ApiError` for the first key that is not `known`, if `unknown-keys` is `rejected`."""
    if context.switches["unknown-keys"] == "ignored":
        return
    unknown = sorted(set(body) - set(known) - set(_FROM_PATH))
    if unknown:
        raise ApiError("bad_request", f"Unknown field {unknown[0]}.")


def checked_fields(context: Context, body: JsonObject, names: Iterable[str]) -> JsonObject:
    """The fields `names` that `body` has, as the server stores them; null stays None.

    Raises:
        SchemaViolation: a value of the wrong type.
        ApiError: a value that the API refuses.
    """
    present = {name: body[name] for name in names if name in body}
    for name, value in present.items():
        if value is not None:
            typed(name, value, dict if name == "attribute_mapping" else str)
    rewritten = {name: _rewritten(context, name, value) for name, value in present.items()}
    for name, value in rewritten.items():
        if value not in (None, "") or name == "display_name":
            _check_value(context, name, value)
    return rewritten


def _rewritten(context: Context, name: str, value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    if not isinstance(value, str):
        return value
    if name == "custom_scopes" and context.switches["custom-scopes"] == "decoded":
        value = unquote(value)
    mode = context.switches["rewriting"]
    if mode == "trims" and name != "client_secret":
        return value.strip()
    if mode == "strips-slash" and (name in URL_FIELDS or name == "issuer"):
        return value.rstrip("/")
    return value


def _check_value(context: Context, name: str, value: Any) -> None:  # noqa: ANN401 -- any JSON value
    if name == "display_name":
        _check_display_name(context, value)
    elif name == "identity_provider":
        if value not in IDENTITY_PROVIDERS and context.switches["unknown-identity-provider"] == "rejected":
            raise ApiError("invalid_sso_idp")
    elif name == "issuer":
        _check_url(context, value, "oidc_connection_issuer_url_invalid_format")
    elif name in URL_FIELDS:
        _check_url(context, value, f"oidc_connection_{name}_invalid_format")
    elif name == "client_secret" and len(value) > _LONGEST_SECRET:
        raise ApiError("client_secret_too_long")
    elif name == "custom_scopes" and " " in value and context.switches["custom-scopes"] == "spaces-rejected":
        raise ApiError("bad_request", "custom_scopes must be URL-encoded.")


def _check_display_name(context: Context, value: str | None) -> None:
    if value is None or context.switches["invalid-display-name"] == "stored":
        return
    if not 1 <= len(value.strip()) <= _LONGEST_NAME:
        raise ApiError("invalid_display_name")


def _check_url(context: Context, value: str, error_type: str) -> None:
    scheme, host = scheme_and_host(value)
    accepted = scheme == "https" or (scheme == "http" and _http_is_accepted(context, host))
    if not accepted or not host or any(character.isspace() for character in value):
        raise ApiError(error_type)


def _http_is_accepted(context: Context, host: str) -> bool:
    mode = context.switches["http-urls"]
    return mode == "accepted" or (mode == "loopback-only" and is_loopback(host))


def scheme_and_host(url: str) -> tuple[str, str]:
    """Return scheme and host of a URL; both are empty if it is malformed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def origin_of(url: str) -> str:
    """Return the origin of an http or https URL, such as ``https://app.example.com``, or nothing."""
    scheme, host = scheme_and_host(url)
    return f"{scheme}://{urlsplit(url).netloc}" if scheme in {"http", "https"} and host else ""


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` is ``localhost`` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
