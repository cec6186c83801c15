"""Builders for the values that tests are about: declarations, live state, plans."""

from __future__ import annotations

from typing import Any

from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SourceLocation
from reconciler.core.plan import Environment, OrganizationPlan, Plan, PlanSummary, Scope, summarize
from reconciler.core.planner import Choices, plan_organization
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.core.state import (
    DesiredConnection,
    DesiredOrganization,
    Lifecycle,
    LiveOrganization,
    Organization,
    Presence,
)

ORGANIZATION_ID = "organization-test-1"
SCOPE = Scope("https://test.stytch.com", "project-test-1", Environment.TEST)
WHEN = "2026-11-21T12:00:00Z"


def reference(name: str) -> SecretReference:
    return SecretReference(f"${{env:{name}}}", (Locator("env", name),))


def declared(name: str = "okta", *, organization: str = "acme", **fields: Any) -> DesiredConnection:
    """Return a declaration; fields of the connection and of its lifecycle mixed, as in a manifest."""
    fields.setdefault("display_name", name)
    treatment: dict[str, Any] = {
        "presence": Presence.ABSENT if fields.pop("absent", False) else Presence.PRESENT,
        "is_default": fields.pop("default", False),
        "previous_display_names": tuple(fields.pop("previous", ())),
        "lifecycle": Lifecycle(
            prevent_destroy=fields.pop("prevent_destroy", False),
            ignore_changes=tuple(fields.pop("ignore", ())),
        ),
    }
    return DesiredConnection(
        address=Address(organization, name),
        connection=OidcConnection(**fields),
        location=SourceLocation(f"{organization}.yaml", line=3, column=3),
        **treatment,
    )


def manifest(reference: str, *connections: DesiredConnection, prune: bool = False) -> DesiredOrganization:
    return DesiredOrganization(
        reference=reference,
        location=SourceLocation(f"{reference}.yaml"),
        prune=prune,
        connections=connections,
    )


def desired(*connections: DesiredConnection, prune: bool = False) -> DesiredOrganization:
    return manifest("acme", *connections, prune=prune)


def live_connection(number: int = 1, **fields: Any) -> OidcConnection:
    """Return a live connection as the provider reads one: what is unset is empty, never None."""
    empty: dict[str, Any] = {
        "identity_provider": "generic",
        "client_secret": Secret(""),
        "custom_scopes": (),
        "attribute_mapping": {},
        "connection_id": f"oidc-connection-test-{number}",
        "redirect_url": f"https://test.stytch.com/v1/b2b/sso/callback/oidc-connection-test-{number}",
        "status": "active",
    }
    texts = ("display_name", "issuer", "client_id", "authorization_url", "token_url", "userinfo_url")
    return OidcConnection(**(dict.fromkeys((*texts, "jwks_url"), "") | empty | fields))


def live(*connections: OidcConnection, foreign: tuple[Any, ...] = (), **facts: Any) -> LiveOrganization:
    organization = Organization(organization_id=ORGANIZATION_ID, slug="acme", **facts)
    return LiveOrganization(organization=organization, connections=connections, other_connections=foreign)


def choices(secrets: dict[SecretReference, Secret] | None = None, **more: Any) -> Choices:
    return Choices(secrets=secrets or {}, **more)


def plan(
    organization: DesiredOrganization, state: LiveOrganization, given: Choices | None = None
) -> OrganizationPlan:
    return plan_organization(organization, state, given or choices())


def whole(*plans: OrganizationPlan, **more: Any) -> Plan:
    """Return the plan of a run over some organizations."""
    return Plan(
        scope=SCOPE,
        created_at=WHEN,
        changes=tuple(change for one in plans for change in one.changes),
        unmanaged=tuple(other for one in plans for other in one.unmanaged),
        diagnostics=tuple(diagnostic for one in plans for diagnostic in one.diagnostics),
        summary=sum((summarize(one) for one in plans), PlanSummary()),
        **more,
    )


def codes(one: OrganizationPlan) -> list[str]:
    return [diagnostic.code for diagnostic in one.diagnostics]
