"""Finds or creates the member of a login, and creates a session for the SSO token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.errors import ApiError
from reconciler.emulator.frontend import session_minutes, show_member, show_session
from reconciler.emulator.id_tokens import LoginError
from reconciler.emulator.organizations import find_organization, show_organization
from reconciler.emulator.request import Caller
from reconciler.emulator.seed import add_member, add_session
from reconciler.emulator.tickets import matches_challenge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.emulator.context import Context
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import ApiCall

FINISHED_LOGIN = "finished login"
_IDENTITY_ATTRIBUTES = ("email", "full_name", "first_name", "last_name")
_DEFAULT_MINUTES, _MINUTE = 60, 60.0
_INTERMEDIATE_SECONDS = 600.0


def returning_member(context: Context, connection: JsonObject, claims: JsonObject) -> tuple[JsonObject, bool]:
    """The member who has logged in through `connection`, and whether they are new; stored with their claims.

    Raises:
        LoginError: nobody is registered, and the organization does not provision members of this connection.
    """
    organization = context.state.get("organizations", connection["organization_id"])
    assert organization is not None
    attributes = _attributes(connection, claims)
    with context.state.transaction():
        members = tuple(context.state.where("members", "organization_id", organization["organization_id"]))
        member = _registered(members, connection, claims["sub"]) or _of_address(members, attributes)
        is_new = member is None
        if member is None:
            _check_provisioning(organization, connection)
            member = add_member(context, organization)
        member = _with_login(context, member, connection, claims, attributes)
        context.state.put("members", member)
    return member, is_new


async def authenticate_sso(context: Context, call: ApiCall) -> JsonObject:
    """POST …/b2b/sso/authenticate: a session for the SSO token that a login brought to the application."""
    minutes = session_minutes(call.body) or _DEFAULT_MINUTES
    login = context.tickets.take(FINISHED_LOGIN, call.body.get("sso_token"))
    member = login and context.state.get("members", login["member_id"])
    if not login or not member or login["project_id"] != call.caller.project_id:
        raise ApiError(context.switches["spent-sso-token"])
    if not matches_challenge(call.body.get("pkce_code_verifier"), login["pkce_code_challenge"]):
        raise ApiError("pkce_mismatch")
    organization = find_organization(context, call.caller.project_id, member["organization_id"])
    if organization["mfa_policy"] == "REQUIRED_FOR_ALL":
        outcome = _without_second_factor(context, member)
    else:
        factors = [_factor(member, login["connection_id"])]
        expires_at = context.now() + minutes * _MINUTE
        session = add_session(context, member, expires_at=expires_at, authentication_factors=factors)
        outcome = {
            "session_token": session["session_token"],
            "session_jwt": session["session_jwt"],
            "intermediate_session_token": "",
            "member_authenticated": True,
            "member_session": show_session(session, member, organization),
            "mfa_required": None,
        }
    return {
        "member_id": member["member_id"],
        "organization_id": member["organization_id"],
        "member": show_member(Caller(call.caller.project, member)),
        "reset_session": False,
        "organization": show_organization(context, organization),
        "primary_required": None,
        **outcome,
    }


def _without_second_factor(context: Context, member: JsonObject) -> JsonObject:
    """The answer where the organization demands MFA: no session before the second factor."""
    return {
        "session_token": "",
        "session_jwt": "",
        "intermediate_session_token": context.tickets.issue(
            "intermediate session", {"member_id": member["member_id"]}, _INTERMEDIATE_SECONDS
        ),
        "member_authenticated": False,
        "member_session": None,
        "mfa_required": {"member_options": None, "secondary_auth_initiated": None},
    }


def _factor(member: JsonObject, connection_id: str) -> JsonObject:
    """The authentication factor that a session gets from a login through a connection."""
    registrations = (
        entry for entry in member["sso_registrations"] if entry["connection_id"] == connection_id
    )
    registration = next(registrations)
    return {
        "type": "sso",
        "delivery_method": "sso_oidc",
        "sequence_order": "PRIMARY",
        "oidc_sso_factor": {
            "id": registration["registration_id"],
            "provider_id": connection_id,
            "external_id": registration["external_id"],
        },
    }


def _attributes(connection: JsonObject, claims: JsonObject) -> JsonObject:
    """Attributes of the service by name: those of the attribute_mapping, and the usual ones."""
    mapping = {"email": "email", "full_name": "name", **(connection.get("attribute_mapping") or {})}
    return {name: claims[claim] for name, claim in mapping.items() if str(claim) in claims}


def _registered(members: Iterable[JsonObject], connection: JsonObject, subject: str) -> JsonObject | None:
    key = connection["connection_id"], subject
    for member in members:
        if any(
            (entry["connection_id"], entry["external_id"]) == key for entry in member["sso_registrations"]
        ):
            return member
    return None


def _of_address(members: Iterable[JsonObject], attributes: JsonObject) -> JsonObject | None:
    address = str(attributes.get("email", "")).lower()
    return next((entry for entry in members if address and entry["email_address"].lower() == address), None)


def _check_provisioning(organization: JsonObject, connection: JsonObject) -> None:
    allowed = organization["sso_jit_provisioning_allowed_connections"]
    mode = organization["sso_jit_provisioning"]
    if mode == "NOT_ALLOWED" or (mode == "RESTRICTED" and connection["connection_id"] not in allowed):
        raise LoginError("the user is no member, and the organization creates none at a login")


def _with_login(
    context: Context, member: JsonObject, connection: JsonObject, claims: JsonObject, attributes: JsonObject
) -> JsonObject:
    """The member with this login's registration and attributes."""
    key = connection["connection_id"], claims["sub"]
    earlier = [
        entry
        for entry in member["sso_registrations"]
        if (entry["connection_id"], entry["external_id"]) != key
    ]
    registration = {
        "connection_id": connection["connection_id"],
        "external_id": claims["sub"],
        "registration_id": context.identifiers.new("sso-registration", "test"),
        "sso_attributes": claims,
    }
    mapped = {name: value for name, value in attributes.items() if name not in _IDENTITY_ATTRIBUTES}
    return {
        **member,
        "email_address": member["email_address"] or str(attributes.get("email", "")),
        "name": member["name"] or str(attributes.get("full_name", "")),
        "sso_registrations": [*earlier, registration],
        "trusted_metadata": {**member["trusted_metadata"], **mapped},
    }
