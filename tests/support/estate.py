"""An estate on the emulator, planned and applied as the commands do it, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from reconciler.core.plan import Environment, Plan, Scope
from reconciler.core.planner import Choices
from reconciler.core.run_selection import Limits
from reconciler.core.secret import Secret
from reconciler.core.state import DesiredState
from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET, Emulator
from reconciler.http.clock import Clock
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget
from reconciler.secrets import ResolvedSecrets
from reconciler.workflow.apply import apply_plan
from reconciler.workflow.plan import PlanMetadata, plan_organizations
from tests.providers.in_process import in_process
from tests.support.faulty import FaultyProvider
from tests.support.service import Service
from tests.support.values import declared, reference
from tests.support.virtual_time import jumping

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from reconciler.core.change import Change
    from reconciler.core.outcome import ApplyResult, Outcome
    from reconciler.core.state import DesiredConnection, DesiredOrganization
    from tests.support.faulty import Fault
    from tests.support.service import Hook

REFERENCE = reference("SECRET")
SECRETS = {REFERENCE: Secret("s3cret-of-the-idp")}
LIMITS = Limits(max_deletes=1000, max_delete_percent=100, requests_per_second=100, concurrency=8)
SCOPE = Scope("http://emulator", DEFAULT_PROJECT_ID, Environment.TEST)


def complete(
    organization: str, name: str, *, absent: bool = False, pin: str | None = None, **fields: Any
) -> DesiredConnection:
    """Return a declaration of all fields; names and ids tell whose it is."""
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
        "connection_id": pin,
    }
    return declared(name, organization=organization, absent=absent, **(values | fields))


@dataclass
class Watcher:
    """Observes a run; ``on_start`` and ``on_finish`` may interfere."""

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

    ``seconds`` is the virtual time that has passed, ``took`` the part of it that the last work took.
    ``calls`` counts the provider's calls of the last apply by method. A run stops at ``stop``.
    """

    emulator: Emulator
    desired: DesiredState = field(default_factory=lambda: DesiredState(()))
    limits: Limits = LIMITS
    chance: Callable[[], float] = lambda: 0.0
    watcher: Watcher = field(default_factory=Watcher)
    hook: Hook = lambda _moment, _request: None
    frozen: Callable[[], float] = lambda: 0.0
    services: list[Service] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    calls: Counter[str] = field(default_factory=Counter)
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
            begin = self.seconds
            try:
                return await work
            finally:
                self.took = self.seconds - begin
                for service in self.services:
                    await service.settle()

        with jumping(jumped) as run:
            return run(work_and_settle())

    def plan(self, *organizations: DesiredOrganization, **choices: Any) -> Plan:
        """Plan what is declared, or declare something else first."""
        if organizations:
            self.declare(*organizations)
        plan: Plan = self.run(self.planned(**choices))
        return plan

    def apply(self, plan: Plan, *faults: Fault) -> ApplyResult:
        result: ApplyResult = self.run(self.applied(plan, faults=faults))
        return result

    def reconcile(self) -> ApplyResult:
        """Plan and apply."""
        return self.apply(self.plan())

    async def planned(self, runner: str = "", **choices: Any) -> Plan:
        async with self._provider(runner) as provider:
            return await plan_organizations(
                self.desired.organizations,
                provider,
                choices=Choices(secrets=SECRETS, **choices),
                limits=self.limits,
                metadata=PlanMetadata(scope=SCOPE, created_at="2026-11-21T00:00:00+00:00"),
                progress=self.watcher,
            )

    async def applied(self, plan: Plan, runner: str = "", faults: Sequence[Fault] = ()) -> ApplyResult:
        async with self._provider(runner) as inner:
            provider = FaultyProvider(inner, faults)
            result = await apply_plan(
                plan,
                provider,
                ResolvedSecrets(SECRETS),
                concurrency=self.limits.concurrency,
                observer=self.watcher,
                stop=self.stop,
                clock=Clock(monotonic=asyncio.get_running_loop().time),
            )
            self.calls = provider.calls
            return result

    def connections(self, organization: str = "acme") -> tuple[dict[str, Any], ...]:
        """The server's raw OIDC connections of an organization."""
        return tuple(self.emulator.oidc_connections(organization))

    def organization_id(self, desired: DesiredConnection) -> str:
        """The id of a declaration's organization."""
        return str(self.emulator.organization(desired.address.organization)["organization_id"])

    def live(self, desired: DesiredConnection) -> tuple[dict[str, Any], ...]:
        """The server's raw connections that have the name of a declaration."""
        return tuple(
            connection
            for connection in self.connections(desired.address.organization)
            if connection["display_name"] == desired.connection.display_name
        )

    def holds(self, desired: DesiredConnection) -> bool:
        """Whether there is exactly one, and it is as declared; none, if that is what is declared."""
        connections = self.live(desired)
        if desired.is_absent:
            pin = desired.connection.connection_id
            ids = {live["connection_id"] for live in self.connections(desired.address.organization)}
            return not connections and pin not in ids
        return len(connections) == 1 and not differences(desired, connections[0])

    def doubled(self) -> tuple[str, ...]:
        """The declarations of whose name there is more than one connection."""
        return tuple(
            str(desired.address) for desired in self.desired.connections if len(self.live(desired)) > 1
        )

    def unheld(self) -> tuple[str, ...]:
        """The declarations that do not hold, by the server's own state; an organization, for its default."""
        wrong = tuple(str(desired.address) for desired in self.desired.connections if not self.holds(desired))
        return (
            *wrong,
            *(
                desired.address.organization
                for desired in self.desired.connections
                if desired.is_default and not self._is_default(desired)
            ),
        )

    def _is_default(self, desired: DesiredConnection) -> bool:
        default = self.emulator.organization(desired.address.organization)["sso_default_connection_id"]
        return default in {connection["connection_id"] for connection in self.live(desired)}

    def _provider(self, runner: str) -> Any:
        service = Service(self.emulator, runner, self.hook, self.frozen)
        self.services.append(service)
        clock = Clock(
            monotonic=lambda: asyncio.get_running_loop().time(),
            wall=self.emulator.context.now,
            chance=self.chance,
        )
        target = ProjectTarget(project_id=DEFAULT_PROJECT_ID, secret=Secret(DEFAULT_SECRET))
        return connect(target, self.limits, transport=in_process(service), clock=clock)


def wanted(desired: DesiredConnection) -> dict[str, Any]:
    """The wire fields of a declared connection."""
    values = asdict(desired.connection)
    values["client_secret"] = SECRETS[REFERENCE].reveal()
    if desired.connection.custom_scopes is not None:
        values["custom_scopes"] = " ".join(desired.connection.custom_scopes)
    return {name: value for name, value in values.items() if value is not None}


def differences(desired: DesiredConnection, live: dict[str, Any]) -> set[str]:
    """The wire fields in which a raw connection is not what is declared."""
    return {
        name
        for name, value in wanted(desired).items()
        if _comparable(name, value) != _comparable(name, live.get(name))
    }


def _comparable(name: str, value: Any) -> Any:
    """Scopes are a set, which a service may store percent-encoded; no mapping is an empty one."""
    if name == "custom_scopes":
        return set(unquote(value or "").split())
    return value or {} if name == "attribute_mapping" else value
