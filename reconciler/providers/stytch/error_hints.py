"""Hints for the user, by the error_type of the API's response."""

from __future__ import annotations

from typing import Final

LOG_IN_AGAIN: Final = "the member session is over or not known; log in again and pass the new session token"
LOG_IN_OR_CHECK: Final = f"{LOG_IN_AGAIN}, or check the public_token"

_WRONG_ENVIRONMENT: Final = (
    "the credentials are of another environment than the address called;"
    " check that project_id, secret and base_url are all test or all live"
)
_PROJECT: Final = (
    "check the project_id and the secret: both are shown in the dashboard, one pair per environment"
)
_ROLE: Final = "give the member a role that may do this on the resource stytch.sso, for example stytch_admin"
_SDK_SETTINGS: Final = "in the dashboard, under Frontend SDK,"

DEAD_SESSION: Final = frozenset({"session_not_found", "user_unauthenticated", "invalid_session_token"})
"""Types that mean at any status that the session has ended."""

DEAD_IN_SESSION_MODE: Final = frozenset({"unauthorized_credentials", "invalid_secret_authentication"})
"""In the frontend API these two mean it as well, or that the public token is not known."""

SDK_ORIGIN: Final = frozenset({"bad_domain_for_stytch_sdk", "bad_app_bundle_for_stytch_sdk"})

_HINTS: Final = {
    "unauthorized_credentials": _PROJECT,
    "invalid_project_id_authentication": "the project_id is not known here; " + _PROJECT,
    "invalid_secret_authentication": "the secret does not belong to this project_id; " + _PROJECT,
    "project_not_found": "the project_id is not known here; " + _PROJECT,
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
    "too_many_sso_connections": "the organization has as many connections as it may; delete one first",
    "too_many_sso_connections_for_billing_tier": "the plan of the project allows no further connection",
    "invalid_sso_idp": "the server does not know this identity_provider",
    "cannot_delete_default_sso_connection": "make another active connection the default one first",
    "route_not_found": "base_url must name the API itself, without a path of its own",
}

_DENIED_WITHOUT_TYPE: Final = (
    "the answer is not the API's own: check base_url, and any proxy or firewall in between"
)


def error_hint(status: int, error_type: str) -> str:
    """Return what the user can do about an error, or nothing where there is nothing to say."""
    if not error_type and status in {401, 403, 404}:
        return _DENIED_WITHOUT_TYPE
    return _HINTS.get(error_type, "")
