"""Errors of the API: types, HTTP statuses, messages and response bodies."""

from __future__ import annotations

from typing import Any, TypeVar

JsonObject = dict[str, Any]
Json = TypeVar("Json")

_COULD_NOT_BE_FOUND = "{} could not be found."
_TOO_SHORT = "The filter_value needs at least 3 characters."
_TYPE_NAMES: dict[type, str] = {str: "string", int: "number", list: "array", dict: "object"}
_SERVER_ERROR = "Oops, something seems to have gone wrong"

# error_type: (HTTP status, message). Where the API documents no message, this one is ours.
CATALOGUE: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The submitted request is invalid."),
    "invalid_display_name": (400, "The display name is invalid."),
    "invalid_sso_idp": (400, "The identity provider is invalid."),
    "oidc_connection_issuer_url_invalid_format": (400, "The issuer must be an https URL."),
    "oidc_connection_authorization_url_invalid_format": (400, "The authorization_url must be an https URL."),
    "oidc_connection_token_url_invalid_format": (400, "The token_url must be an https URL."),
    "oidc_connection_userinfo_url_invalid_format": (400, "The userinfo_url must be an https URL."),
    "oidc_connection_jwks_url_invalid_format": (400, "The jwks_url must be an https URL."),
    "oidc_connection_issuer_required": (400, "The issuer is required."),
    "oidc_connection_client_id_required": (400, "The client_id is required."),
    "oidc_connection_client_secret_required": (400, "The client_secret is required."),
    "oidc_connection_authorization_url_required": (400, "The authorization_url is required."),
    "oidc_connection_token_url_required": (400, "The token_url is required."),
    "oidc_connection_userinfo_url_required": (400, "The userinfo_url is required."),
    "oidc_connection_jwks_url_required": (400, "The jwks_url is required."),
    "client_secret_too_long": (400, "The client_secret is too long."),
    "cannot_delete_default_sso_connection": (400, "The default SSO connection cannot be deleted."),
    "invalid_sso_default_connection_id": (400, "The sso_default_connection_id is invalid."),
    "invalid_restricted_sso_setting": (
        400,
        "RESTRICTED needs at least one connection in sso_jit_provisioning_allowed_connections.",
    ),
    "too_many_sso_connections": (400, "The organization has too many SSO connections."),
    "too_many_sso_connections_for_billing_tier": (400, "The plan allows no further SSO connection."),
    "sso_connection_organization_mismatch": (400, "The SSO connection belongs to another organization."),
    "sso_connection_custom_domain_mismatch": (400, "The SSO connection belongs to another custom domain."),
    "duplicate_external_sso_connection": (400, "The External connection exists already."),
    "external_connection_id_not_found": (400, _COULD_NOT_BE_FOUND.format("External connection")),
    "external_connection_not_active": (400, "The External connection is not active."),
    "external_organization_id_same_as_organization_id": (400, "The organizations must differ."),
    "invalid_issuer": (400, "The issuer is invalid."),
    "invalid_authorization_url": (400, "The authorization_url is invalid."),
    "invalid_token_url": (400, "The token_url is invalid."),
    "invalid_userinfo_url": (400, "The userinfo_url is invalid."),
    "invalid_jwks_url": (400, "The jwks_url is invalid."),
    "bad_app_bundle_for_stytch_sdk": (400, "This application is not registered for the SDK."),
    "pkce_mismatch": (
        400,
        "The submitted code_verifier does not match the code_challenge sent at the start of the flow.",
    ),
    "invalid_organization_id": (400, "The organization_id is malformed."),
    "invalid_session_token": (400, "Session token format is invalid."),
    "organization_slug_already_used": (400, "The organization_slug is already in use."),
    "organization_external_id_already_used": (400, "The organization_external_id is already in use."),
    "organization_search_filter_name_not_recognized": (400, "The filter_name is not recognized."),
    "organization_search_missing_filter_name": (400, "The filter_name is missing."),
    "organization_search_missing_filter_value": (400, "The filter_value is missing."),
    "organization_search_expected_array_of_strings": (400, "The filter_value must be an array of strings."),
    "organization_search_expected_boolean": (400, "The filter_value must be a boolean."),
    "organization_search_expected_string": (400, "The filter_value must be a string."),
    "organization_search_name_fuzzy_too_short": (400, _TOO_SHORT),
    "organization_search_slug_fuzzy_too_short": (400, _TOO_SHORT),
    "organization_search_member_email_fuzzy_too_short": (400, _TOO_SHORT),
    "organization_search_allowed_domain_fuzzy_too_short": (400, _TOO_SHORT),
    "user_search_invalid_cursor": (400, "The cursor is invalid."),
    "user_search_invalid_limit": (400, "The limit must be between 1 and 1000."),
    "user_search_invalid_operator": (400, "The operator must be AND."),
    "bad_domain_for_stytch_sdk": (400, "This domain is not registered for the SDK."),
    "unauthorized_credentials": (401, "Unauthorized credentials."),
    "user_unauthenticated": (401, "The session is not authenticated."),
    "invalid_project_id_authentication": (401, "The project_id is invalid."),
    "invalid_secret_authentication": (401, "The secret is invalid."),
    "unauthorized_project_id_test": (401, "A test project_id was sent with a key of another environment."),
    "unauthorized_project_id_live": (401, "A live project_id was sent with a key of another environment."),
    "wrong_stack_test": (401, "Test credentials were sent to another environment."),
    "wrong_stack_live": (401, "Live credentials were sent to another environment."),
    "endpoint_not_authorized_for_sdk": (
        401,
        "The project owner has not authorized the SDK to call this endpoint.",
    ),
    "session_authorization_error": (
        403,
        "The Member is not authorized to perform the requested action on that resource.",
    ),
    "session_authorization_tenancy_error": (
        403,
        "OrganizationID in AuthorizationCheck request does not match session's Organization ID",
    ),
    "organization_suspended": (403, "The organization is suspended."),
    "use_https": (403, "Please use https instead of http."),
    "organization_not_found": (404, _COULD_NOT_BE_FOUND.format("Organization")),
    "oidc_connection_not_found": (404, _COULD_NOT_BE_FOUND.format("OIDC connection")),
    "sso_connection_not_found": (404, _COULD_NOT_BE_FOUND.format("SSO connection")),
    "project_not_found": (404, _COULD_NOT_BE_FOUND.format("Project")),
    "route_not_found": (404, _COULD_NOT_BE_FOUND.format("Route")),
    "sso_token_not_found": (404, _COULD_NOT_BE_FOUND.format("SSO token")),
    "session_not_found": (404, _COULD_NOT_BE_FOUND.format("Session")),
    "method_not_allowed": (405, "The method is not allowed on this route."),
    "search_timeout": (408, "The search took too long."),
    "too_many_requests": (429, "Too many requests have been made."),
    "client_closed_request": (499, "Client closed request."),
    "internal_server_error": (
        500,
        f"{_SERVER_ERROR}, please reach out to support@stytch.com to let us know what went wrong.",
    ),
    "bad_gateway": (502, f"{_SERVER_ERROR}."),
    "server_unavailable": (
        503,
        f"{_SERVER_ERROR}. Please retry the request. If this issue persists, please reach out to support.",
    ),
    "gateway_timeout": (504, f"{_SERVER_ERROR}."),
}


class ApiError(Exception):
    """A response other than 200; `error_type` is a key of `CATALOGUE`."""

    def __init__(self, error_type: str, detail: str = "", *, headers: dict[str, str] | None = None) -> None:
        self.error_type = error_type
        self.status, message = CATALOGUE[error_type]
        self.message = f"{message} {detail}".rstrip()
        self.headers = headers or {}
        super().__init__(f"{self.status} {error_type}: {self.message}")

    def payload(self, request_id: str) -> JsonObject:
        """The body of the error response."""
        return {
            "status_code": self.status,
            "request_id": request_id,
            "error_type": self.error_type,
            "error_message": self.message,
            "error_url": f"https://stytch.com/docs/api/errors/{self.status}#{self.error_type}",
        }


class SchemaViolation(Exception):
    """A request body with a value of the wrong type: `field` should be of type `expected`."""

    def __init__(self, field: str, expected: str) -> None:
        self.field = field
        self.expected = expected
        super().__init__(f"{field} should be {expected}")

    def frontend_payload(self) -> JsonObject:
        """The frontend API's body: no envelope and no request_id."""
        path = f".{self.field}" if self.field else ""
        error = {
            "keyword": "type",
            "dataPath": path,
            "schemaPath": f"#/properties/{self.field}/type" if self.field else "#/type",
            "params": {"type": self.expected},
            "message": f"should be {self.expected}",
        }
        return {"body": [error]}

    def backend_error(self) -> ApiError:
        """The backend API's error, with the ordinary body."""
        return ApiError("bad_request", f"{self.field or 'body'} should be {self.expected}.")


def typed(field: str, value: object, kind: type[Json]) -> Json:
    """The `value` of a field of a request body; raises `SchemaViolation` if it is not of `kind`."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise SchemaViolation(field, _TYPE_NAMES[kind])
    return value


class ConnectionLostError(ConnectionError):
    """A reset or truncated connection in process; over loopback it is a real one."""
