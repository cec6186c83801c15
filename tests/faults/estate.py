"""An estate on the emulator, planned and applied as the commands do it, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SourceLocation
from reconciler.core.limits import Limits
from reconciler.core.plan import Environment, Plan, Scope
from reconciler.core.planner import Choices
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.core.state import DesiredConnection, DesiredOrganization, DesiredState, Presence
from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET, Emulator
from reconciler.http.clock import Clock
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget
from reconciler.workflow.apply import apply_plan
from reconciler.workflow.plan import PlanMetadata, plan_organizations
from tests.faults.service import Service
from tests.faults.virtual_time import jumping
from tests.providers.in_process import in_process

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from reconciler.core.change import Change
    from reconciler.core.outcome import ApplyResult, Outcome
    from tests.faults.service import Hook

REFERENCE = SecretReference("${env:SECRET}", (Locator("env", "SECRET"),))
SECRETS = {REFERENCE: Secret("s3cret-of-the-idp")}
LIMITS = Limits(max_deletes=1000, max_delete_percent=100, requests_per_second=100, concurrency=8)
SCOPE = Scope("http://emulator", DEFAULT_PROJECT_ID, Environment.TEST)


def connection(organization: str, name: str, **fields: Any) -> OidcConnection:
    """A complete declaration; names and ids tell whose it is."""
    issuer = f"https://{name}.{organization}.example"
    values: dict[str, Any] = {
        "display_name": f"{organization} {name}",
        "identity_provider": "okta",
        "issuer": issuer,
        "client_id": f"client-{organization}-{name}",
        "client_secret": REFERENCE,
        "authorization_url": f"{issuer}/authorize",
        "token_url": f"{issuer}/token",
        "userinfo_url": f"{issuer}/userinfo",
        "jwks_url": f"{issuer}/keys",
        "attribute_mapping": {"groups": "groups"},
    }
    return OidcConnection(**(values | fields))


def declared(
    organization: str, name: str, *, absent: bool = False, pin: str | None = None, **fields: Any
) -> DesiredConnection:
    return DesiredConnection(
        address=Address(organization, name),
        connection=connection(organization, name, connection_id=pin, **fields),
        location=SourceLocation(f"{organization}.yaml", line=3, column=1),
        presence=Presence.ABSENT if absent else Presence.PRESENT,
    )


def manifest(reference: str, *connections: DesiredConnection, prune: bool = False) -> DesiredOrganization:
    return DesiredOrganization(
        reference=reference,
        location=SourceLocation(f"{reference}.yaml", line=1, column=1),
        connections=connections,
        prune=prune,
    )


@dataclass
class Watcher:
    """Counts what it is told; ``on_start`` and ``on_finish`` may interfere."""

    on_start: Callable[[Change], None] = lambda change: None
    on_finish: Callable[[Outcome], None] = lambda outcome: None

    def advanced(self, done: int) -> None:
        """Nothing is shown here."""

    def started(self, change: Change) -> None:
        self.on_start(change)

    def finished(self, outcome: Outcome) -> None:
        self.on_finish(outcome)


@dataclass
class Estate:
    """An emulator, what is declared for it, and the commands' work as two calls.

    ``seconds`` is the virtual time that has gone by, ``took`` how much of it the last work took.
    """

    emulator: Emulator
    desired: DesiredState = field(default_factory=lambda: DesiredState(()))
    limits: Limits = LIMITS
    chance: Callable[[], float] = lambda: 0.0
    watcher: Watcher = field(default_factory=Watcher)
    hook: Hook = lambda _moment, _request: None
    services: list[Service] = field(default_factory=list)
    seconds: float = 0.0
    took: float = 0.0

    def declare(self, *organizations: DesiredOrganization) -> None:
        self.desired = DesiredState(organizations)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run in virtual time, which the emulator's clock follows, until the server is at rest as well."""

        def jumped(seconds: float) -> None:
            self.seconds += seconds
            self.emulator.context.clock_offset += seconds

        async def work_and_settle() -> Any:
            begun = self.seconds
            try:
                return await work
            finally:
                self.took = self.seconds - begun
                for service in self.services:
                    await service.settle()

        with jumping(jumped) as run:
            return run(work_and_settle())

    def plan(self) -> Plan:
        plan: Plan = self.run(self.planned())
        return plan

    def apply(self, plan: Plan) -> ApplyResult:
        result: ApplyResult = self.run(self.applied(plan))
        return result

    def reconcile(self) -> ApplyResult:
        """Plan and apply."""
        return self.apply(self.plan())

    async def planned(self, runner: str = "") -> Plan:
        async with self._provider(runner) as provider:
            return await plan_organizations(
                self.desired.organizations,
                provider,
                choices=Choices(secrets=SECRETS),
                limits=self.limits,
                metadata=PlanMetadata(scope=SCOPE, created_at="2026-11-21T00:00:00+00:00"),
                progress=self.watcher,
            )

    async def applied(self, plan: Plan, runner: str = "") -> ApplyResult:
        async with self._provider(runner) as provider:
            return await apply_plan(
                plan,
                provider,
                SECRETS,
                concurrency=self.limits.concurrency,
                observer=self.watcher,
                stop=asyncio.Event(),
                clock=asyncio.get_running_loop().time,
            )

    def live(self, one: DesiredConnection) -> tuple[dict[str, Any], ...]:
        """The server's raw connections that have the name of a declaration."""
        return tuple(
            found
            for found in self.emulator.oidc_connections(one.address.organization)
            if found["display_name"] == one.connection.display_name
        )

    def holds(self, one: DesiredConnection) -> bool:
        """Whether there is exactly one, and it is as declared; none, if that is what is declared."""
        found = self.live(one)
        if one.is_absent:
            return not found
        return len(found) == 1 and not differences(one, found[0])

    def doubled(self) -> tuple[str, ...]:
        """The declarations of whose name there is more than one connection."""
        return tuple(str(one.address) for one in self.desired.connections if len(self.live(one)) > 1)

    def unheld(self) -> tuple[str, ...]:
        """The declarations that do not hold, by the server's own state."""
        return tuple(str(one.address) for one in self.desired.connections if not self.holds(one))

    def _provider(self, runner: str) -> Any:
        service = Service(self.emulator, runner, self.hook)
        self.services.append(service)
        clock = Clock(
            monotonic=lambda: asyncio.get_running_loop().time(),
            wall=self.emulator.context.now,
            chance=self.chance,
        )
        target = ProjectTarget(project_id=DEFAULT_PROJECT_ID, secret=Secret(DEFAULT_SECRET))
        return connect(target, self.limits, transport=in_process(service), clock=clock)


def wanted(one: DesiredConnection) -> dict[str, Any]:
    """The wire fields of a declared connection."""
    values = asdict(one.connection)
    values["client_secret"] = SECRETS[REFERENCE].reveal()
    return {name: value for name, value in values.items() if value is not None}


def differences(one: DesiredConnection, live: dict[str, Any]) -> set[str]:
    """The wire fields in which a raw connection is not what is declared."""
    return {name for name, value in wanted(one).items() if live.get(name) != value}
