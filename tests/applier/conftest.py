"""One organization on the emulator, reconciled in-process as the commands do it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.applier import ReadBackPolicy, apply_changes
from reconciler.core.address import Address
from reconciler.core.connection import OidcConnection
from reconciler.core.errors import SourceLocation
from reconciler.core.limits import Limits
from reconciler.core.plan import Environment, Plan, Scope
from reconciler.core.planner import Choices
from reconciler.core.secret import Locator, Secret, SecretReference
from reconciler.core.state import DesiredConnection, DesiredOrganization, DesiredState, Presence
from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET, Emulator, EmulatorSettings
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget
from reconciler.workflow.plan import PlanMetadata, plan_organizations
from tests.applier.faulty import Fault, FaultyProvider
from tests.providers.in_process import in_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reconciler.core.change import Change
    from reconciler.core.outcome import ApplyResult, Outcome

REFERENCE = SecretReference("${env:ACME}", (Locator("env", "ACME"),))
SECRETS = {REFERENCE: Secret("s3cret")}
HERE = SourceLocation("acme.yaml", line=3, column=1)
ISSUER = "https://acme.okta.com"

DECLARED = OidcConnection(
    display_name="Acme Okta",
    identity_provider="okta",
    issuer=ISSUER,
    client_id="0oa1",
    client_secret=REFERENCE,
    authorization_url=f"{ISSUER}/authorize",
    token_url=f"{ISSUER}/token",
    userinfo_url=f"{ISSUER}/userinfo",
    jwks_url=f"{ISSUER}/keys",
    custom_scopes=("email", "groups", "openid", "profile"),
    attribute_mapping={"groups": "groups"},
)


def declare(*connections: DesiredConnection, prune: bool = False) -> DesiredState:
    return DesiredState(
        (DesiredOrganization(reference="acme", location=HERE, connections=connections, prune=prune),)
    )


def present(name: str = "okta", connection: OidcConnection = DECLARED) -> DesiredConnection:
    return DesiredConnection(address=Address("acme", name), connection=connection, location=HERE)


def absent(name: str = "okta", connection: OidcConnection = DECLARED) -> DesiredConnection:
    return DesiredConnection(
        address=Address("acme", name), connection=connection, location=HERE, presence=Presence.ABSENT
    )


@dataclass
class Watcher:
    """Remembers what it is told; ``on_start`` is called when an operation begins."""

    outcomes: list[Outcome] = field(default_factory=list)
    on_start: Callable[[Change], None] = lambda change: None

    def advanced(self, done: int) -> None:
        pass

    def started(self, change: Change) -> None:
        self.on_start(change)

    def finished(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


@dataclass
class Bench:
    """The emulator, and the commands' work as two calls."""

    emulator: Emulator
    naps: list[float] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    watcher: Watcher = field(default_factory=Watcher)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, desired: DesiredState, **choices: Any) -> Plan:
        async def run() -> Plan:
            async with self._provider() as provider:
                return await plan_organizations(
                    desired.organizations,
                    provider,
                    choices=Choices(secrets=SECRETS, **choices),
                    limits=Limits(max_deletes=100, max_delete_percent=100),
                    metadata=PlanMetadata(
                        scope=Scope("http://emulator", DEFAULT_PROJECT_ID, Environment.TEST),
                        created_at="2026-11-21T00:00:00+00:00",
                    ),
                    progress=self.watcher,
                )

        return asyncio.run(run())

    def apply(self, plan: Plan, *faults: Fault) -> ApplyResult:
        async def nap(seconds: float) -> None:
            self.naps.append(seconds)

        async def run() -> ApplyResult:
            async with self._provider() as inner:
                provider = FaultyProvider(inner, faults)
                result = await apply_changes(
                    plan.changes,
                    provider,
                    SECRETS,
                    observer=self.watcher,
                    stop=self.stop,
                    concurrency=4,
                    clock=lambda: 0.0,
                    read_back=ReadBackPolicy(waits=(0.0, 1.0, 2.0), repeats=2),
                    sleep=nap,
                )
                self.calls = dict(provider.calls)
                return result

        return asyncio.run(run())

    def live(self) -> Sequence[dict[str, Any]]:
        return self.emulator.oidc_connections("acme")

    def _provider(self) -> Any:
        return connect(
            ProjectTarget(project_id=DEFAULT_PROJECT_ID, secret=Secret(DEFAULT_SECRET)),
            Limits(requests_per_second=100_000, concurrency=4),
            transport=in_process(httpx.ASGITransport(app=self.emulator.application)),
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    emulator = Emulator(EmulatorSettings())
    emulator.add_organization("acme")
    yield Bench(emulator)
    emulator.close()
