"""What only the frontend API has: bootstrapping a browser SDK, sessions, the member's own organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.answers import Answer, json_answer
from reconciler.emulator.authorization import permits, policy_of
from reconciler.emulator.errors import ApiError, SchemaViolation
from reconciler.emulator.organizations import lookup_organization, show_organization

if TYPE_CHECKING:
    from reconciler.emulator.calls import Call, Caller
    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.exchange import Exchange

_MINUTE = 60.0
_JWT_SECONDS = 300.0
_SHORTEST, _LONGEST = 5, 527_040


async def bootstrap(_context: Context, call: Call) -> JsonObject:
    """GET /sdk/v1/projects/bootstrap/{public_token}: what a browser SDK asks first."""
    if call.path["public_token"] != call.caller.project["public_token"]:
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


async def authenticate_session(context: Context, call: Call) -> JsonObject:
    """POST /sdk/v1/b2b/sessions/authenticate: who is logged in; a duration prolongs the session."""
    assert call.caller.session is not None
    session = {**call.caller.session, "jwt_expires_at": context.now() + _JWT_SECONDS}
    minutes = _minutes(call.body)
    if minutes is not None:
        session["expires_at"] = context.now() + minutes * _MINUTE
    context.state.put("sessions", session)
    return {
        "member": _show_member(call.caller),
        "member_session": _show_session(session, call),
        "session_token": session["session_token"],
        "session_jwt": session["session_jwt"],
        "organization": show_organization(context, call.owner),
    }


async def revoke_session(context: Context, call: Call) -> JsonObject:
    """POST /sdk/v1/b2b/sessions/revoke: the session is dead from now on."""
    assert call.caller.session is not None
    context.state.delete("sessions", call.caller.session["session_token"])
    return {}


async def get_member(_context: Context, call: Call) -> JsonObject:
    """GET /sdk/v1/b2b/organizations/members/me."""
    return {"member": _show_member(call.caller)}


async def find_by_slug(context: Context, call: Call) -> JsonObject:
    """POST /sdk/v1/b2b/organizations/search: one organization by its slug, or null."""
    slug = call.body.get("organization_slug")
    if not isinstance(slug, str):
        raise SchemaViolation("organization_slug", "string")
    found = lookup_organization(context, call.caller.project_id, slug)
    named = found is not None and found["organization_slug"] == slug
    return {"organization": show_organization(context, found) if found is not None and named else None}


async def get_admin_portal_config(_context: Context, call: Call) -> JsonObject:
    """GET /sdk/v1/b2b/admin_portal_config: what the admin portal may offer the member."""
    can_create = permits(call.caller, "create")
    return {
        "sso_config": {
            "sso_enabled": True,
            "can_create_oidc_connection": can_create,
            "can_create_saml_connection": can_create,
        }
    }


async def accept_events(_context: Context, exchange: Exchange) -> Answer:
    """POST /sdk/v1/events: the SDK's telemetry, which nobody reads."""
    return json_answer(200, {"data": {"request_id": exchange.request_id, "status_code": 200}})


def _minutes(body: JsonObject) -> int | None:
    minutes = body.get("session_duration_minutes")
    if minutes is None:
        return None
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        raise SchemaViolation("session_duration_minutes", "number")
    if not _SHORTEST <= minutes <= _LONGEST:
        raise ApiError("bad_request", "session_duration_minutes must be between 5 and 527040.")
    return minutes


def _show_member(caller: Caller) -> JsonObject:
    assert caller.member is not None
    roles = ["stytch_member", *caller.member["roles"]]
    source = {"type": "direct_assignment", "details": {}}
    return {
        **caller.member,
        "roles": [{"role_id": role, "sources": [source]} for role in dict.fromkeys(roles)],
    }


def _show_session(session: JsonObject, call: Call) -> JsonObject:
    member = call.caller.member
    assert member is not None
    return {
        "member_session_id": session["member_session_id"],
        "member_id": member["member_id"],
        "organization_id": call.organization_id,
        "organization_slug": call.owner["organization_slug"],
        "roles": list(dict.fromkeys(["stytch_member", *member["roles"]])),
        "authentication_factors": [],
        "custom_claims": {},
    }
