"""The emulator as a Python object: its application, its log, methods that change its state, its server."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from reconciler.emulator.connections import connections_of, kind_of
from reconciler.emulator.context import LOOPBACK, Context, EmulatorSettings
from reconciler.emulator.organizations import lookup_organization, show_organization
from reconciler.emulator.rule_parsing import parse_fault
from reconciler.emulator.seed import (
    SeedError,
    add_connection,
    add_member,
    add_organization,
    add_session,
    apply_seed,
    edit_connection,
    put_tenant,
    read_seed,
    remove_connection,
    stored_connection,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.emulator.application import Application
    from reconciler.emulator.errors import JsonObject
    from reconciler.emulator.request_log import RequestLog
    from reconciler.emulator.rules import Fault, RateLimit
    from reconciler.emulator.transport import InProcessTransport, WebServer

_START_SECONDS = 10.0
_LIBRARIES = ("starlette", "uvicorn", "anyio", "h11")


class MissingExtraError(ImportError):
    """The extra `emulator` is not installed."""

    def __init__(self, library: str) -> None:
        super().__init__(
            f"the emulator needs {library}; install it with: pip install 'oidc-reconciler[emulator]'",
            name=library,
        )


@contextmanager
def _needing_extra() -> Iterator[None]:
    """Around imports: raise `MissingExtraError` for a missing library of the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _LIBRARIES:
            raise
        raise MissingExtraError(library) from error


class Emulator:
    """One emulated project; every method may be called from any thread, also while it serves.

    An `organization` argument is an id, slug or external id.

    Raises:
        UnknownSwitchError: an unknown switch in the settings.
        UnknownFaultError: a fault in the settings that cannot be parsed.
        StateError: the state file cannot be used.
        SeedError: the seed file cannot be used.
    """

    def __init__(self, settings: EmulatorSettings | None = None) -> None:
        self.settings = settings or EmulatorSettings()
        faults = [parse_fault(text) for text in self.settings.faults]
        self.context = Context(self.settings)
        for fault in faults:
            self.context.faults.add(fault)
        project = self.settings.project
        if self.context.state.get("projects", project.project_id) is None:
            self.context.state.put("projects", asdict(project))
        try:
            if self.settings.seed is not None and not any(self.context.state.all("organizations")):
                self.seed(read_seed(self.settings.seed))
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
        with _needing_extra():
            from reconciler.emulator.application import Application  # noqa: PLC0415 -- needs the extra
        return Application(self.context)

    @property
    def request_log(self) -> RequestLog:
        """The requests so far."""
        return self.context.log

    def transport(self) -> InProcessTransport:
        """For `httpx.AsyncClient(transport=...)`: this emulator without a network."""
        with _needing_extra():
            from reconciler.emulator.transport import InProcessTransport  # noqa: PLC0415 -- needs the extra
        return InProcessTransport(self.application)

    def close(self) -> None:
        """Close the state; a state file keeps its contents."""
        self.context.state.close()

    def add_organization(self, slug: str, **fields: object) -> JsonObject:
        """Add an organization; `fields` are wire fields such as `organization_external_id`."""
        return add_organization(self.context, self.settings.project.project_id, slug, **fields)

    def organization(self, organization: str) -> JsonObject:
        """The organization as the API returns it; raises `KeyError` for an unknown one."""
        return show_organization(self.context, self._organization(organization))

    def edit_organization(self, organization: str, **fields: object) -> JsonObject:
        """Change wire fields of an organization without the API."""
        edited = {**self._organization(organization), **fields}
        self.context.state.put("organizations", edited)
        return edited

    def add_connection(self, organization: str, kind: str = "oidc", **fields: object) -> JsonObject:
        """Add a connection of `kind` (`oidc`, `saml`, `external`) without the API."""
        return add_connection(self.context, self._organization(organization), kind, fields)

    def connections(self, organization: str) -> tuple[JsonObject, ...]:
        """The stored connections of every kind in order of creation; `client_secret` is readable."""
        return connections_of(self.context, self._organization(organization)["organization_id"])

    def oidc_connections(self, organization: str) -> tuple[JsonObject, ...]:
        """As `connections`, OIDC only."""
        return tuple(
            entry for entry in self.connections(organization) if kind_of(entry["connection_id"]) == "oidc"
        )

    def connection(self, connection_id: str) -> JsonObject:
        """One stored connection; raises `KeyError` for an unknown one."""
        return stored_connection(self.context, connection_id)

    def edit_connection(self, connection_id: str, **fields: object) -> JsonObject:
        """Change wire fields of a connection as in the dashboard; `status` only if given."""
        return edit_connection(self.context, connection_id, fields)

    def remove_connection(self, connection_id: str) -> None:
        """Delete a connection as in the dashboard; raises `KeyError` for an unknown one."""
        remove_connection(self.context, connection_id)

    def add_member(self, organization: str, *roles: str, **fields: object) -> JsonObject:
        """Add a member with RBAC `roles`, such as `stytch_admin`."""
        return add_member(self.context, self._organization(organization), roles, **fields)

    def add_session(self, organization: str, *roles: str, **fields: object) -> JsonObject:
        """Add a member and their session, with `session_token`, `session_jwt` and `expires_at`."""
        return add_session(self.context, self.add_member(organization, *roles), **fields)

    def set_switch(self, name: str, value: str) -> None:
        """Set a switch of `SWITCHES`; raises `UnknownSwitchError`."""
        self.context.switches.set(name, value)

    def add_fault(self, fault: Fault | str) -> str:
        """Add a fault, as a rule or as text; returns its id. Raises `UnknownFaultError`."""
        return self.context.faults.add(parse_fault(fault) if isinstance(fault, str) else fault)

    def remove_fault(self, name: str) -> None:
        """Remove the fault with this id; raises `KeyError`."""
        del self.context.faults.rules[name]

    def clear_faults(self) -> None:
        """Remove every fault."""
        self.context.faults.rules.clear()

    def set_rate_limits(self, *limits: RateLimit) -> None:
        """Replace the rate limits; all windows start empty."""
        self.context.limits.replace(limits)

    def add_identity_provider(self, name: str, **fields: object) -> str:
        """Add or change a tenant of the built-in identity provider; returns its path, `/idp/{name}`.

        `metadata` overrides keys of its discovery document, `keys` replaces its JWKS, `clients` maps client
        ids to a secret or a list of secrets, `redirect_uris` are those of every client, `users` maps user
        names to claims and a `password`. Without one of the last three, every client, redirect_uri or user
        is known. `expired_secrets` are refused as expired.
        """
        return put_tenant(self.context, name, fields)

    def remove_identity_provider(self, name: str) -> None:
        """Remove a tenant; its discovery then answers 404."""
        self.context.state.delete("tenants", name)

    def set_discovery(self, issuer: str, document: JsonObject | None = None, *, failure: str = "") -> None:
        """Set the result of discovery for `issuer`, without a request: a document or a failure."""
        self.context.state.put("discovery", {"issuer": issuer, "document": document, "failure": failure})

    def seed(self, document: JsonObject) -> None:
        """Store the contents of a seed document; raises `SeedError`."""
        apply_seed(self.context, document, self.settings.project.project_id)

    def _organization(self, reference: str) -> JsonObject:
        organization = lookup_organization(self.context, self.settings.project.project_id, reference)
        if organization is None:
            raise KeyError(reference)
        return organization


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator that listens at `base_url`."""

    emulator: Emulator
    base_url: str


@contextmanager
def running_emulator(
    settings: EmulatorSettings | None = None, *, host: str = LOOPBACK, port: int = 0
) -> Iterator[RunningEmulator]:
    """An emulator in a background thread, stopped at the end of the block; port 0 takes a free one.

    Raises:
        OSError: the address cannot be bound.
        MissingExtraError: the extra `emulator` is not installed.
    """
    started = threading.Event()
    with _listening(settings, host, port) as (running, listener):
        server = _web_server(running.emulator, started.set)
        thread = threading.Thread(target=server.run, args=([listener],), name="emulator", daemon=True)
        thread.start()
        try:
            if not started.wait(_START_SECONDS):
                raise RuntimeError("the emulator did not start")
            yield running
        finally:
            server.stop()
            thread.join(_START_SECONDS)


def serve(
    settings: EmulatorSettings | None = None,
    host: str = LOOPBACK,
    port: int = 0,
    on_ready: Callable[[RunningEmulator], None] | None = None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; `on_ready` is called once it accepts requests.

    Raises:
        OSError: the address cannot be bound.
        MissingExtraError: the extra `emulator` is not installed.
    """
    with _listening(settings, host, port) as (running, listener):
        server = _web_server(running.emulator, lambda: on_ready(running) if on_ready else None)
        server.run([listener])


@contextmanager
def _listening(
    settings: EmulatorSettings | None, host: str, port: int
) -> Iterator[tuple[RunningEmulator, socket.socket]]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.create_server((host, port), family=family, backlog=2048) as listener,
        closing(Emulator(settings)) as emulator,
    ):
        address, bound_port = listener.getsockname()[:2]
        url = f"http://[{address}]:{bound_port}" if ":" in address else f"http://{address}:{bound_port}"
        emulator.context.bound_url = url
        yield RunningEmulator(emulator, url), listener


def _web_server(emulator: Emulator, on_ready: Callable[[], None]) -> WebServer:
    with _needing_extra():
        from reconciler.emulator.transport import WebServer  # noqa: PLC0415 -- needs the extra
    return WebServer(emulator.application, on_ready)
