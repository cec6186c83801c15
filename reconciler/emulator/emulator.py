"""The emulator as a Python object: its application, its request log, and hands to change its state with."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from reconciler.emulator import fixtures
from reconciler.emulator.connection_defaults import release_connection
from reconciler.emulator.connections import connections_of
from reconciler.emulator.context import Context
from reconciler.emulator.fault_text import parse_fault
from reconciler.emulator.missing_extra import needing_extra
from reconciler.emulator.organizations import lookup_organization, show_organization
from reconciler.emulator.seed import SeedError, apply_seed, read_seed
from reconciler.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    from reconciler.emulator.application import Application
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.faults import Fault
    from reconciler.emulator.in_process import InProcessTransport
    from reconciler.emulator.rate_limit import RateLimit
    from reconciler.emulator.request_log import RequestLog


class Emulator:
    """One emulated project; every method may be called from any thread, also while it serves.

    Where an `organization` is asked for, its id, slug or external id does.
    """

    def __init__(self, settings: EmulatorSettings | None = None) -> None:
        self.settings = settings or EmulatorSettings()
        self.context = Context(self.settings)
        project = self.settings.project
        if self.context.state.get("projects", project.project_id) is None:
            fixtures.add_project(
                self.context,
                project_id=project.project_id,
                secret=project.secret,
                public_token=project.public_token,
            )
        try:
            self._seed_once()
        except SeedError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @cached_property
    def application(self) -> Application:
        """The ASGI application; raises `MissingExtraError` without the extra `emulator`."""
        with needing_extra():
            from reconciler.emulator.application import Application  # noqa: PLC0415 -- needs the extra
        return Application(self.context)

    @property
    def request_log(self) -> RequestLog:
        """What was asked so far."""
        return self.context.log

    def transport(self) -> InProcessTransport:
        """For `httpx.AsyncClient(transport=...)`: this emulator without a network."""
        from reconciler.emulator.in_process import InProcessTransport  # noqa: PLC0415 -- httpx is slow to import

        return InProcessTransport(self)

    def close(self) -> None:
        """Let go of the state; a state file keeps it."""
        self.context.state.close()

    def add_organization(self, slug: str, **fields: object) -> JsonObject:
        """A new organization; `fields` are wire fields such as `organization_external_id`."""
        return fixtures.add_organization(self.context, self.settings.project.project_id, slug, **fields)

    def organization(self, organization: str) -> JsonObject:
        """The organization as the API shows it; raises `KeyError` for an unknown one."""
        return show_organization(self.context, self._organization(organization))

    def edit_organization(self, organization: str, **fields: object) -> JsonObject:
        """Change wire fields of an organization behind the API's back."""
        edited = {**self._organization(organization), **fields}
        self.context.state.put("organizations", edited)
        return edited

    def add_connection(self, organization: str, kind: str = "oidc", **fields: object) -> JsonObject:
        """A connection of `kind` (`oidc`, `saml`, `external`) that did not come through the API."""
        return fixtures.add_connection(self.context, self._organization(organization), kind, fields)

    def connections(self, organization: str) -> tuple[JsonObject, ...]:
        """The stored connections of every kind, `client_secret` in clear, in order of creation."""
        return connections_of(self.context, self._organization(organization)["organization_id"])

    def oidc_connections(self, organization: str) -> tuple[JsonObject, ...]:
        """As `connections`, OIDC only."""
        return tuple(
            one for one in self.connections(organization) if one["connection_id"].startswith("oidc-")
        )

    def connection(self, connection_id: str) -> JsonObject:
        """One stored connection; raises `KeyError` for an unknown one."""
        found = self.context.state.get("connections", connection_id)
        if found is None:
            raise KeyError(connection_id)
        return found

    def edit_connection(self, connection_id: str, **fields: object) -> JsonObject:
        """Change wire fields of a connection as somebody in the dashboard would; `status` only if given."""
        with self.context.state.transaction():
            edited = {**self.connection(connection_id), **fields}
            self.context.state.put("connections", edited)
        return edited

    def remove_connection(self, connection_id: str) -> None:
        """Delete a connection as somebody in the dashboard would; raises `KeyError` for an unknown one."""
        with self.context.state.transaction():
            release_connection(self.context, self.connection(connection_id))
            self.context.state.delete("connections", connection_id)

    def add_member(self, organization: str, *roles: str, **fields: object) -> JsonObject:
        """A member with RBAC `roles`, such as `stytch_admin`."""
        return fixtures.add_member(self.context, self._organization(organization), roles, **fields)

    def add_session(self, organization: str, *roles: str, **fields: object) -> JsonObject:
        """A new member's session: its `session_token` and `session_jwt`; `expires_at` can end it early."""
        return fixtures.add_session(self.context, self.add_member(organization, *roles), **fields)

    def set_switch(self, name: str, value: str) -> None:
        """Move a switch of `SWITCHES`; raises `UnknownSwitchError`."""
        self.context.switches.set(name, value)

    def add_fault(self, fault: Fault | str) -> str:
        """Put a fault in force, as a rule or as its text; returns its id. Raises `UnknownFaultError`."""
        return self.context.faults.add(parse_fault(fault) if isinstance(fault, str) else fault)

    def remove_fault(self, name: str) -> None:
        """Drop the fault with this id; raises `KeyError`."""
        self.context.faults.remove(name)

    def clear_faults(self) -> None:
        """Drop every fault."""
        self.context.faults.clear()

    def set_rate_limits(self, *limits: RateLimit) -> None:
        """Put other limits in force, with empty windows."""
        self.context.limits.replace(limits)

    def add_identity_provider(self, name: str, **fields: object) -> str:
        """A tenant of the built-in identity provider, or changes to one; returns its path, `/idp/{name}`.

        `metadata` is laid over its discovery document, `keys` replaces its JWKS, `clients` maps client ids to
        secrets.
        """
        self.context.state.put(
            "tenants", {**(self.context.state.get("tenants", name) or {}), **fields, "name": name}
        )
        return f"/idp/{name}"

    def remove_identity_provider(self, name: str) -> None:
        """Take a tenant down: its discovery answers 404 from now on."""
        self.context.state.delete("tenants", name)

    def can_discovery(self, issuer: str, document: JsonObject | None = None, *, failure: str = "") -> None:
        """What discovery says about `issuer` without asking anyone: a document, or a failure."""
        self.context.state.put("discovery", {"issuer": issuer, "document": document, "failure": failure})

    def seed(self, document: JsonObject) -> None:
        """Store what a seed document describes; raises `SeedError`."""
        apply_seed(self.context, document, self.settings.project.project_id)

    def _seed_once(self) -> None:
        if self.settings.seed is not None and not any(self.context.state.all("organizations")):
            self.seed(read_seed(self.settings.seed))

    def _organization(self, name: str) -> JsonObject:
        found = lookup_organization(self.context, self.settings.project.project_id, name)
        if found is None:
            raise KeyError(name)
        return found
