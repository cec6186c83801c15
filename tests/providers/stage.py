"""Where the contract suite runs: each API with each kind of credentials, on each server."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx

from reconciler.core.run_selection import Limits
from reconciler.core.secret import Secret
from reconciler.emulator import (
    DEFAULT_PROJECT_ID,
    DEFAULT_PUBLIC_TOKEN,
    DEFAULT_SECRET,
    Emulator,
    EmulatorSettings,
    running_emulator,
)
from reconciler.http.clock import Clock
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget, SessionTarget, Target
from tests.providers.in_process import in_process

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from reconciler.providers.stytch.http_transport import Transport

IN_PROCESS: Final = "http://127.0.0.1:1"
"""Never connected to: the application is called directly."""

REAL_NAMES: Final = ("CONTRACT_PROJECT_ID", "CONTRACT_SECRET", "CONTRACT_ORGANIZATION")
"""Set these to play the contract on a real test project, in an organization kept for it."""

EMULATED: Final = (
    "backend in-process",
    "backend over loopback",
    "member in-process",
    "session in-process",
    "session over loopback",
)


HASTE: Final = 200.0
"""How many seconds of back-off and pace pass in one real second on the emulator."""


def _hasty_clock() -> Clock:
    return Clock(
        monotonic=lambda: time.monotonic() * HASTE, sleep=lambda seconds: asyncio.sleep(seconds / HASTE)
    )


@dataclass(slots=True)
class Stage:
    """One API with one kind of credentials, on one server; ``organization`` is one that may be used."""

    variant: str
    target: Target
    organization: str
    emulator: Emulator | None = None
    transport: Callable[[], Transport] | None = None
    names: list[str] = field(default_factory=list)

    def ask(
        self, question: Callable[[Any], Coroutine[Any, Any, Any]], *, target: Target | None = None
    ) -> Any:
        """Connect, ask one question, and return the answer. On the emulator time is short."""

        async def main() -> Any:
            clock = Clock() if self.emulator is None else _hasty_clock()
            rate = 5.0 if self.emulator is None else 10_000.0
            transport = self.transport() if self.transport else None
            limits = Limits(requests_per_second=rate)
            async with connect(
                target or self.target, limits, transport=transport, clock=clock, retry_timeout=500
            ) as provider:
                return await question(provider)

        return asyncio.run(main())

    def new_name(self) -> str:
        """Return a display name that nothing else has; what is called so is deleted at the end."""
        self.names.append(f"contract {uuid4()}")
        return self.names[-1]

    def sweep(self) -> None:
        """Delete what the test has left behind."""

        async def question(provider: Any) -> None:
            found = (await provider.find_organizations([self.organization]))[self.organization]
            live = await provider.read_organization(found)
            for connection in live.connections:
                if connection.display_name in self.names:
                    await provider.delete_connection(found.organization_id, connection.connection_id)

        self.ask(question)

    def stored(self) -> tuple[dict[str, Any], ...]:
        """Return the OIDC connections as the emulator has them."""
        assert self.emulator is not None
        return self.emulator.oidc_connections(self.organization)


def real_is_set() -> bool:
    """Whether the environment names a real project."""
    return all(os.environ.get(name) for name in REAL_NAMES)


@contextmanager
def staged(variant: str, *, log_secrets: bool = False) -> Iterator[Stage]:
    """Open a stage for a test."""
    if variant == "real project":
        stage = _real()
        yield stage
        stage.sweep()
        return
    settings = EmulatorSettings(log_secrets=log_secrets)
    if variant.endswith("over loopback"):
        with running_emulator(settings) as server:
            yield _emulated(variant, server.emulator, server.base_url)
        return
    emulator = Emulator(settings)
    stage = _emulated(variant, emulator, IN_PROCESS)
    stage.transport = lambda: in_process(httpx.ASGITransport(emulator.application))
    try:
        yield stage
    finally:
        emulator.close()


def _emulated(variant: str, emulator: Emulator, base_url: str) -> Stage:
    emulator.add_organization("acme", organization_external_id="crm|1")
    emulator.add_organization("beta")
    emulator.add_connection("acme", "saml")
    emulator.add_connection("acme", "external")
    return Stage(variant, _target(variant, emulator, base_url), "acme", emulator)


def _target(variant: str, emulator: Emulator, base_url: str) -> Target:
    if variant.startswith("backend"):
        return ProjectTarget(project_id=DEFAULT_PROJECT_ID, secret=Secret(DEFAULT_SECRET), base_url=base_url)
    token = Secret(emulator.add_session("acme", "stytch_admin")["session_token"])
    if variant.startswith("member"):
        return ProjectTarget(
            project_id=DEFAULT_PROJECT_ID,
            secret=Secret(DEFAULT_SECRET),
            session_token=token,
            base_url=base_url,
        )
    return SessionTarget(public_token=DEFAULT_PUBLIC_TOKEN, session_token=token, base_url=base_url)


def _real() -> Stage:
    project_id, secret, organization = (os.environ[name] for name in REAL_NAMES)
    assert project_id.startswith("project-test-"), "the contract is never played on a live project"
    return Stage("real project", ProjectTarget(project_id=project_id, secret=Secret(secret)), organization)
