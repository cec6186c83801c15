"""Endpoints for sessions and members, and what else the frontend API has for the SDKs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.emulator.access import permits, policy_of
from reconciler.emulator.errors import ApiError, typed
from reconciler.emulator.organizations import lookup_organization, show_organization
from reconciler.emulator.request import Response, json_response

if TYPE_CHECKING:
    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import ApiCall, Caller, Request

_MINUTE = 60.0
_JWT_SECONDS = 300.0
_SESSION_NAMES = ("member_session_id", "session_token", "session_jwt", "member_id")
_MINIMUM_MINUTES, _MAXIMUM_MINUTES = 5, 527_040


async def bootstrap(_context: Context, call: ApiCall) -> JsonObject:
    """GET /sdk/v1/projects/bootstrap/{public_token}: the first request of a browser SDK."""
    if call.path_params["public_token"] != call.caller.project["public_token"]:
        raise ApiError("project_not_found")
    return {
        "project_name": call.caller.project.get("name", "Emulated project"),
        "vertical": "B2B",
        "disable_sdk_watermark": True,
        "cname_domain": None,
        "email_domains": ["stytch.com"],
        "captcha_settings": {"enabled": False},
        "pkce_required_for_email_magic_links": False,
        "pkce_required_for_password_resets": False,
        "pkce_required_for_oauth": False,
        "pkce_required_for_sso": False,
        "slug_pattern": None,
        "create_organization_enabled": False,
        "password_config": None,
        "dfp_protected_auth_enabled": False,
        "rbac_policy": policy_of(call.caller.project),
        "siwe_required_for_crypto_wallets": False,
    }


async def authenticate_session(context: Context, call: ApiCall) -> JsonObject:
    """POST /sdk/v1/b2b/sessions/authenticate: the signed-in member; a duration extends the session."""
    assert call.caller.session is not None
    session = {**call.caller.session, "jwt_expires_at": context.now() + _JWT_SECONDS}
    minutes = session_minutes(call.body)
    if minutes is not None:
        session["expires_at"] = context.now() + minutes * _MINUTE
    context.state.put("sessions", session)
    return {
        "member": show_member(call.caller),
        "member_session": show_session(session, call.caller.member, call.owner),
        "session_token": session["session_token"],
        "session_jwt": session["session_jwt"],
        "organization": show_organization(context, call.owner),
    }


async def revoke_session(context: Context, call: ApiCall) -> JsonObject:
    """POST /sdk/v1/b2b/sessions/revoke: end the session."""
    assert call.caller.session is not None
    context.state.delete("sessions", call.caller.session["session_token"])
    return {}


async def revoke_sessions(context: Context, call: ApiCall) -> JsonObject:
    """POST /v1/b2b/sessions/revoke: end one session, or all of a member."""
    named = {name: call.body[name] for name in _SESSION_NAMES if call.body.get(name)}
    if len(named) != 1:
        raise ApiError("bad_request", f"Exactly one of {', '.join(_SESSION_NAMES)} is needed.")
    ((name, value),) = named.items()
    sessions = [entry for entry in context.state.all("sessions") if entry[name] == value]
    for session in sessions:
        owner = _owner(context, session)
        if owner is None or owner["project_id"] != call.caller.project_id:
            raise ApiError("session_not_found")
        if call.caller.member and call.caller.member["member_id"] != session["member_id"]:
            raise ApiError("session_authorization_error")
        context.state.delete("sessions", session["session_token"])
    if not sessions and name != "member_id":
        raise ApiError("session_not_found")
    return {}


def _owner(context: Context, session: JsonObject) -> JsonObject | None:
    member = context.state.get("members", session["member_id"])
    return member and context.state.get("organizations", member["organization_id"])


async def get_member(_context: Context, call: ApiCall) -> JsonObject:
    """GET /sdk/v1/b2b/organizations/members/me."""
    return {"member": show_member(call.caller)}


async def find_by_slug(context: Context, call: ApiCall) -> JsonObject:
    """POST /sdk/v1/b2b/organizations/search: one organization by its slug, or null."""
    slug = typed("organization_slug", call.body.get("organization_slug"), str)
    organization = lookup_organization(context, call.caller.project_id, slug)
    if organization is None or organization["organization_slug"] != slug:
        return {"organization": None}
    return {"organization": show_organization(context, organization)}


async def get_admin_portal_config(_context: Context, call: ApiCall) -> JsonObject:
    """GET /sdk/v1/b2b/admin_portal_config: what the member may do in the admin portal."""
    can_create = permits(call.caller, "create")
    return {
        "sso_config": {
            "sso_enabled": True,
            "can_create_oidc_connection": can_create,
            "can_create_saml_connection": can_create,
        }
    }


async def accept_events(_context: Context, request: Request) -> Response:
    """POST /sdk/v1/events: the SDK's telemetry, which is discarded."""
    return json_response(200, {"data": {"request_id": request.request_id, "status_code": 200}})


def session_minutes(body: JsonObject) -> int | None:
    """How long a session should last; None if the body does not say."""
    minutes = body.get("session_duration_minutes")
    if minutes is None:
        return None
    if not _MINIMUM_MINUTES <= typed("session_duration_minutes", minutes, int) <= _MAXIMUM_MINUTES:
        raise ApiError("bad_request", "session_duration_minutes must be between 5 and 527040.")
    return int(minutes)


def show_member(caller: Caller) -> JsonObject:
    """The caller's member as the API returns it."""
    assert caller.member is not None
    roles = ["stytch_member", *caller.member["roles"]]
    source = {"type": "direct_assignment", "details": {}}
    return {
        **caller.member,
        "roles": [{"role_id": role, "sources": [source]} for role in dict.fromkeys(roles)],
    }


def show_session(session: JsonObject, member: JsonObject | None, organization: JsonObject) -> JsonObject:
    """The session as the API returns it."""
    assert member is not None
    return {
        "member_session_id": session["member_session_id"],
        "member_id": member["member_id"],
        "organization_id": organization["organization_id"],
        "organization_slug": organization["organization_slug"],
        "roles": list(dict.fromkeys(["stytch_member", *member["roles"]])),
        "authentication_factors": session.get("authentication_factors", []),
        "started_at": _time(session.get("started_at", 0.0)),
        "last_accessed_at": _time(session.get("started_at", 0.0)),
        "expires_at": _time(session["expires_at"]),
        "custom_claims": {},
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
