"""What a member session may do: the roles' permissions and the organization's border."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emulator.calls import Surface
from reconciler.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.emulator.calls import Caller, Operation, Permission
    from reconciler.emulator.errors import JsonObject

_SSO_SETTINGS = ("update.settings.default-sso-connection", "update.settings.sso-jit-provisioning")

# role: resource: actions; a project's own `roles` are laid over it
DEFAULT_ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "stytch_admin": {
        "stytch.sso": ("get", "create", "update", "delete"),
        "stytch.organization": ("get", *_SSO_SETTINGS),
        "stytch.self": ("*",),
    },
    "stytch_member": {"stytch.self": ("*",)},
}


def authorize(operation: Operation, caller: Caller, organization: JsonObject | None) -> None:
    """Refuse what the member of `caller` may not do; without a member everything in the project is allowed.

    Raises:
        ApiError: 403, for another organization or for a missing permission.
    """
    if caller.member is None:
        return
    if organization is not None and caller.member["organization_id"] != organization["organization_id"]:
        backend = operation.surface is Surface.BACKEND
        raise ApiError("session_authorization_tenancy_error" if backend else "session_authorization_error")
    if operation.permission is not None and not _granted(caller, operation.permission):
        raise ApiError("session_authorization_error")


def authorize_settings(caller: Caller, actions: set[str]) -> None:
    """Refuse a member who lacks one of `actions` on the organization; raises `ApiError` 403."""
    granted = _actions(caller, "stytch.organization") if caller.member is not None else {"*"}
    if "*" not in granted and not actions <= granted:
        raise ApiError("session_authorization_error")


def permits(caller: Caller, action: str, resource: str = "stytch.sso") -> bool:
    """Whether the member's roles grant `action` on `resource`."""
    return not {action, "*"}.isdisjoint(_actions(caller, resource))


def _granted(caller: Caller, permission: Permission) -> bool:
    return permits(caller, permission.action, permission.resource)


def _actions(caller: Caller, resource: str) -> set[str]:
    table = {**DEFAULT_ROLES, **caller.project.get("roles", {})}
    member_roles = (caller.member or {}).get("roles", [])
    granted = {"stytch_member", *member_roles}
    return {action for role in granted for action in table.get(role, {}).get(resource, ())}
