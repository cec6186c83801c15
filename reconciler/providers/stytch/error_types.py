"""The documented error types of the API: whose messages may be shown, and what the user can do."""

from __future__ import annotations

from typing import Final

_WRONG_ENVIRONMENT: Final = (
    "the credentials are of another environment than the address called;"
    " check that project_id, secret and base_url are all test or all live"
)
_PROJECT: Final = (
    "check the project_id and the secret: both are shown in the dashboard, one pair per environment"
)
_ROLE: Final = "give the member a role that may do this on the resource stytch.sso, for example stytch_admin"
_SDK_SETTINGS: Final = "in the dashboard, under Frontend SDK,"

HINTS: Final = {
    "unauthorized_credentials": _PROJECT,
    "invalid_project_id_authentication": "the service does not know this project_id; " + _PROJECT,
    "invalid_secret_authentication": "the secret does not belong to this project_id; " + _PROJECT,
    "project_not_found": "the service does not know this project_id; " + _PROJECT,
    "wrong_stack_test": _WRONG_ENVIRONMENT,
    "wrong_stack_live": _WRONG_ENVIRONMENT,
    "unauthorized_project_id_test": _WRONG_ENVIRONMENT,
    "unauthorized_project_id_live": _WRONG_ENVIRONMENT,
    "session_authorization_error": _ROLE,
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
