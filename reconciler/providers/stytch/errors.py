"""The documented error types, and the errors that failed attempts become, with whether to try again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.connection import WRITABLE_FIELDS
from reconciler.core.errors import (
    AccessDenied,
    ConnectionNotFound,
    MalformedAnswer,
    NotFound,
    OrganizationNotFound,
    OrganizationRefused,
    ProviderError,
    RequestRejected,
    TimedOut,
    Unavailable,
    UnknownOutcome,
)
from reconciler.http.clock import retry_after
from reconciler.providers.stytch.call import (
    ERROR_TYPE,
    error_envelope,
    identifier,
    request_id,
    sanitize_message,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.providers.stytch.call import ApiRequest, ApiResponse
    from reconciler.providers.stytch.http_transport import ConnectionFailed


_WRONG_ENVIRONMENT: Final = (
    "the credentials are of another environment than the address called;"
    " check that project_id, secret and base_url are all test or all live"
)
_PROJECT: Final = (
    "check the project_id and the secret: both are shown in the dashboard, one pair per environment"
)
_ROLE: Final = "give the member a role that may do this on the resource stytch.sso, for example stytch_admin"
_SDK_SETTINGS: Final = "in the dashboard, under Frontend SDK,"

_NOT_IN_ROLE: Final = "session_authorization_error"

HINTS: Final = {
    "unauthorized_credentials": _PROJECT,
    "invalid_project_id_authentication": "the service does not know this project_id; " + _PROJECT,
    "invalid_secret_authentication": "the secret does not belong to this project_id; " + _PROJECT,
    "project_not_found": "the service does not know this project_id; " + _PROJECT,
    "wrong_stack_test": _WRONG_ENVIRONMENT,
    "wrong_stack_live": _WRONG_ENVIRONMENT,
    "unauthorized_project_id_test": _WRONG_ENVIRONMENT,
    "unauthorized_project_id_live": _WRONG_ENVIRONMENT,
    _NOT_IN_ROLE: _ROLE,
    "session_authorization_tenancy_error": (
        "the member session is of another organization; use a session of this organization,"
        " or no member session at all"
    ),
    "endpoint_not_authorized_for_sdk": (
        f"{_SDK_SETTINGS} enable the SDK, SSO in it, and member actions & organization modifications"
    ),
    "bad_domain_for_stytch_sdk": f"{_SDK_SETTINGS} add this origin to the authorized domains",
    "bad_app_bundle_for_stytch_sdk": f"{_SDK_SETTINGS} add this application to the authorized bundle ids",
    "organization_suspended": "the organization is suspended; ask support, or leave its manifest out",
    "use_https": "base_url must begin with https://",
    "too_many_requests": "lower limits.requests_per_second in the project file if this happens often",
    "too_many_sso_connections": "the organization has reached its limit of connections; delete one first",
    "too_many_sso_connections_for_billing_tier": "the plan of the project allows no further connection",
    "sso_token_not_found": "the token of a login is valid once, for a few minutes; log in again",
    "pkce_mismatch": "the token is not of the login that this run started; log in again",
    "invalid_sso_idp": "the server does not know this identity_provider",
    "cannot_delete_default_sso_connection": "make another active connection the default one first",
    "route_not_found": "base_url must be the address of the API, without a path",
}

_CONNECTION_FIELDS: Final = ("issuer", "client_id", "client_secret")
_CONNECTION_URLS: Final = ("authorization_url", "token_url", "userinfo_url", "jwks_url")

KNOWN_TYPES: Final = frozenset({
    *HINTS,
    "bad_request", "invalid_display_name", "client_secret_too_long",
    "oidc_connection_issuer_url_invalid_format", "invalid_issuer",
    *(f"oidc_connection_{name}_invalid_format" for name in _CONNECTION_URLS),
    *(f"invalid_{name}" for name in _CONNECTION_URLS),
    *(f"oidc_connection_{name}_required" for name in (*_CONNECTION_FIELDS, *_CONNECTION_URLS)),
    "invalid_sso_default_connection_id", "invalid_restricted_sso_setting",
    "sso_connection_organization_mismatch", "sso_connection_custom_domain_mismatch",
    "duplicate_external_sso_connection", "external_connection_id_not_found",
    "external_connection_not_active", "external_organization_id_same_as_organization_id",
    "invalid_organization_id", "invalid_session_token", "session_not_found", "user_unauthenticated",
    "organization_not_found", "oidc_connection_not_found", "sso_connection_not_found",
    "organization_search_filter_name_not_recognized", "organization_search_missing_filter_name",
    "organization_search_missing_filter_value", "organization_search_expected_array_of_strings",
    "organization_search_expected_boolean", "organization_search_expected_string",
    "organization_search_name_fuzzy_too_short", "user_search_invalid_cursor",
    "user_search_invalid_limit", "user_search_invalid_operator", "search_timeout", "method_not_allowed",
    "client_closed_request", "internal_server_error", "server_unavailable",
})  # fmt: skip
"""Types that the API documents or its SDKs name. A server that makes up a type could use its message, which
is free text, to repeat a secret in an encoding that nobody knows."""


_FORBIDDEN: Final = 403
_THROTTLED: Final = 429
_CLIENT_CLOSED: Final = 499
_RETRYABLE: Final = frozenset({408, _THROTTLED, _CLIENT_CLOSED, 500, 502, 503, 504})
_REDIRECT: Final = range(300, 400)
_SERVER_ERROR: Final = 500

_MAY_HAVE_HAPPENED: Final = "it may have been carried out, read the live state before repeating it"

_NOT_FOUND: Final = {
    "organization_not_found": OrganizationNotFound,
    "oidc_connection_not_found": ConnectionNotFound,
    "sso_connection_not_found": ConnectionNotFound,
}

_ABOUT_ORGANIZATION: Final = "organization_"
"""How an error_type begins that concerns one organization, and not the credentials."""

_LOG_IN_AGAIN: Final = (
    "the member session has expired or does not exist; log in again and pass the new session token"
)
_LOG_IN_OR_CHECK: Final = f"{_LOG_IN_AGAIN}, or check the public_token"

_DEAD_SESSION: Final = frozenset({"session_not_found", "user_unauthenticated", "invalid_session_token"})
"""Types that mean at any status that the session has ended."""

_DEAD_IN_SESSION_MODE: Final = frozenset({"unauthorized_credentials", "invalid_secret_authentication"})
"""In the frontend API these two mean it as well, or that the public token is not known."""

_SDK_ORIGIN: Final = frozenset({"bad_domain_for_stytch_sdk", "bad_app_bundle_for_stytch_sdk"})

_UNKNOWN_TYPE: Final = "the service's message is not shown, because its error_type is not documented"

_MAX_FINDINGS: Final = 10
_FINDING: Final = re.compile(
    rf"(?:\.(?:{'|'.join(WRITABLE_FIELDS)}) )?should (?:be|NOT be|have|match) [a-z][a-z ]{{0,30}}"
)
"""One finding of the validation: a field that we send, and what it should be."""

_DENIED_WITHOUT_TYPE: Final = (
    "the response does not come from the API: check base_url, and any proxy or firewall in between"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed attempt.

    ``retry_after`` is in seconds, None where the API did not say. ``throttled`` concerns all requests,
    not this one alone. ``not_sent``: there was no connection.
    """

    error: ProviderError
    retryable: bool = False
    retry_after: float | None = None
    throttled: bool = False
    not_sent: bool = False


def error_response(
    request: ApiRequest,
    response: ApiResponse,
    wall: float,
    *,
    session_mode: bool = False,
    secrets: Sequence[str] = (),
) -> Failure:
    """Translate a response with a status other than 2xx; ``wall`` is the present, for dates.

    ``secrets`` are withheld, should the service repeat them.
    """
    envelope = error_envelope(response)
    error_type = identifier(envelope, "error_type", ERROR_TYPE, secrets)
    seconds = retry_after(response.retry_after, wall)
    is_throttled = response.status == _THROTTLED
    login_hint = _login_hint(error_type, session_mode=session_mode)
    kind = AccessDenied if login_hint else _error_class(request, response.status, error_type)
    hint = login_hint or _hint(kind, response.status, error_type, request.permission)
    error = kind(
        _message(request, response.status, envelope, hint, error_type=error_type, secrets=secrets),
        status=response.status,
        error_type=error_type,
        request_id=request_id(envelope, secrets),
    )
    return Failure(
        error=error,
        retryable=is_throttled or (response.status in _RETRYABLE and not request.writes),
        retry_after=seconds,
        throttled=is_throttled or (response.status in _RETRYABLE and seconds is not None),
    )


def unreadable_response(request: ApiRequest, response: ApiResponse, secrets: Sequence[str] = ()) -> Failure:
    """Translate a good status with a body that is not the API's, or that reports an error."""
    envelope = error_envelope(response)
    known_id = request_id(envelope, secrets)
    error_type = identifier(envelope, "error_type", ERROR_TYPE, secrets)
    if request.writes:
        text = (
            f"{request}: accepted, but the response cannot be read; read the live state before repeating it"
        )
        return Failure(
            error=UnknownOutcome(text, status=response.status, error_type=error_type, request_id=known_id)
        )
    if error_type and envelope.get("status_code") not in _RETRYABLE:
        text = f"{request}: the response reports an error although its status is {response.status}"
        return Failure(
            error=MalformedAnswer(text, status=response.status, error_type=error_type, request_id=known_id)
        )
    text = (
        f"{request}: the response is truncated or does not come from the API;"
        " check base_url and any proxy in between"
    )
    return Failure(error=MalformedAnswer(text, status=response.status, request_id=known_id), retryable=True)


def too_large(request: ApiRequest, max_bytes: int) -> Failure:
    """Translate a response that was cut off."""
    what = "the pages of the search are together" if request.byte_budget else "the response is"
    text = f"{request}: {what} longer than {max_bytes} bytes and not read completely"
    return Failure(error=UnknownOutcome(text) if request.writes else MalformedAnswer(text))


def credentials_repeated(request: ApiRequest) -> Failure:
    """Translate a response that holds the credentials of the request."""
    text = f"{request}: the response repeats the credentials and is not used; check base_url"
    return Failure(error=UnknownOutcome(text) if request.writes else MalformedAnswer(text))


def timed_out(request: ApiRequest) -> Failure:
    """Translate an attempt without a response within its deadline."""
    text = f"{request}: no response within {request.deadline:g} s"
    if request.writes:
        return Failure(error=TimedOut(f"{text}; {_MAY_HAVE_HAPPENED}"))
    return Failure(error=Unavailable(text), retryable=True)


def connection_failed(request: ApiRequest, failed: ConnectionFailed) -> Failure:
    """Translate a connection that broke, or that could not be made."""
    if failed.not_sent:
        text = f"{request}: no connection to the service: {failed.reason}; check base_url and the network"
        return Failure(error=Unavailable(text), retryable=not failed.is_lasting, not_sent=True)
    text = f"{request}: the connection broke ({failed.reason})"
    if request.writes:
        return Failure(error=UnknownOutcome(f"{text}; {_MAY_HAVE_HAPPENED}"))
    return Failure(error=Unavailable(text), retryable=True)


def _error_class(request: ApiRequest, status: int, error_type: str) -> type[ProviderError]:
    if status == _FORBIDDEN and error_type.startswith(_ABOUT_ORGANIZATION):
        return OrganizationRefused
    if status in {401, _FORBIDDEN} or error_type in _SDK_ORIGIN:
        return AccessDenied
    if status == 404:  # noqa: PLR2004  the statuses are named by the branches
        return _NOT_FOUND.get(error_type, NotFound)
    if status == _THROTTLED:
        return Unavailable
    if status >= _SERVER_ERROR or status in _RETRYABLE or status < 200:  # noqa: PLR2004  neither success nor refusal
        return UnknownOutcome if request.writes else Unavailable
    return RequestRejected


def _login_hint(error_type: str, *, session_mode: bool) -> str:
    if error_type in _DEAD_SESSION:
        return _LOG_IN_AGAIN
    return _LOG_IN_OR_CHECK if session_mode and error_type in _DEAD_IN_SESSION_MODE else ""


def _hint(kind: type[ProviderError], status: int, error_type: str, permission: str = "") -> str:
    """Return what the user can do about an error, or nothing where there is nothing to say."""
    if kind is UnknownOutcome:
        return _MAY_HAVE_HAPPENED
    if not error_type and status in {401, 403, 404}:
        return _DENIED_WITHOUT_TYPE
    if error_type == _NOT_IN_ROLE and permission:
        return f"give the member a role with the permission {permission}, for example stytch_admin"
    return HINTS.get(error_type, "")


def _message(
    request: ApiRequest,
    status: int,
    envelope: Mapping[str, Any],
    hint: str,
    *,
    error_type: str,
    secrets: Iterable[str],
) -> str:
    message = _validation_message(envelope)
    if not message and _has_message(envelope):
        message = (
            sanitize_message(envelope["error_message"], secrets)
            if error_type in KNOWN_TYPES
            else _UNKNOWN_TYPE
        )
    message = message.rstrip(".") or _no_message(status)
    return f"{request}: {message}; {hint}" if hint else f"{request}: {message}"


def _has_message(envelope: Mapping[str, Any]) -> bool:
    return any(envelope.get(name) for name in ("error_message", "error_description"))


def _validation_message(envelope: Mapping[str, Any]) -> str:
    """Return the findings of the frontend API's validation, as far as they name our fields and a type."""
    findings = next((envelope[name] for name in ("body", "params", "query") if name in envelope), None)
    if not isinstance(findings, list):
        return ""
    texts = [
        f"{finding.get('dataPath', '')} {finding.get('message', '')}".strip()
        for finding in findings[:_MAX_FINDINGS]
        if isinstance(finding, dict)
    ]
    return "; ".join(text for text in texts if _FINDING.fullmatch(text))


def _no_message(status: int) -> str:
    if status in _REDIRECT:
        return "the response is a redirect, which is not followed; base_url must be the address of the API"
    return f"the service answered {status} without saying why"
