"""Authorizes member sessions: role permissions within their own organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request import Caller, Operation

_SSO_SETTINGS = ("update.settings.default-sso-connection", "update.settings.sso-jit-provisioning")

# role: resource: actions; a project's own `roles` override it
DEFAULT_ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "stytch_admin": {
        "stytch.sso": ("get", "create", "update", "delete"),
        "stytch.organization": ("get", *_SSO_SETTINGS),
        "stytch.self": ("*",),
    },
    "stytch_member": {"stytch.self": ("*",)},
}


def authorize(operation: Operation, caller: Caller, organization: JsonObject | None) -> None:
    """Refuse what the member of `caller` may not do; project credentials may do everything.

    Raises:
        ApiError: 403, for another organization or for a missing permission.
    """
    if caller.member is None:
        return
    if organization is not None and caller.member["organization_id"] != organization["organization_id"]:
        tenancy = "" if operation.frontend else "tenancy_"
        raise ApiError(f"session_authorization_{tenancy}error")
    if operation.permission is not None and not permits(caller, operation.permission):
        raise ApiError("session_authorization_error")


def authorize_settings(caller: Caller, actions: set[str]) -> None:
    """Refuse a member who lacks one of `actions` on the organization; raises `ApiError` 403."""
    granted = _actions(caller, "stytch.organization") if caller.member is not None else {"*"}
    if "*" not in granted and not actions <= granted:
        raise ApiError("session_authorization_error")


def permits(caller: Caller, action: str) -> bool:
    """Whether the member's roles grant `action` on SSO connections."""
    return not {action, "*"}.isdisjoint(_actions(caller, "stytch.sso"))


def policy_of(project: JsonObject) -> JsonObject:
    """The role table in the format that the SDKs read."""
    table = _table(project)
    actions: dict[str, set[str]] = {}
    for resources in table.values():
        for resource, granted in resources.items():
            actions.setdefault(resource, set()).update(set(granted) - {"*"})
    return {
        "roles": [
            {
                "role_id": role,
                "description": "",
                "permissions": [
                    {"resource_id": resource, "actions": list(granted)}
                    for resource, granted in resources.items()
                ],
            }
            for role, resources in table.items()
        ],
        "resources": [
            {"resource_id": resource, "description": "", "actions": sorted(names)}
            for resource, names in actions.items()
        ],
        "scopes": [],
    }


def _table(project: JsonObject) -> dict[str, Mapping[str, Iterable[str]]]:
    return {**DEFAULT_ROLES, **project.get("roles", {})}


def _actions(caller: Caller, resource: str) -> set[str]:
    table = _table(caller.project)
    member_roles = (caller.member or {}).get("roles", [])
    granted = {"stytch_member", *member_roles}
    return {action for role in granted for action in table.get(role, {}).get(resource, ())}
