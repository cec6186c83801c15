"""A write that the service lets wait is sent only if nobody else has written meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.applier import ReadBackPolicy, apply_changes
from reconciler.core.limits import Limits
from reconciler.core.outcome import Failed
from reconciler.core.secret import Secret
from reconciler.emulator import DEFAULT_PROJECT_ID, DEFAULT_SECRET
from reconciler.http.clock import Clock
from reconciler.providers.stytch.connect import connect
from reconciler.providers.stytch.credentials import ProjectTarget
from tests.applier.conftest import DECLARED, SECRETS, Bench, Watcher, absent, declare, present
from tests.providers.in_process import in_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.outcome import ApplyResult
    from reconciler.core.plan import Plan


def quick_clock(meanwhile: Callable[[], object]) -> Clock:
    """Return a clock on which time passes only when somebody sleeps; then, once, something happens."""
    now = [0.0]
    waiting = [meanwhile]

    async def sleep(seconds: float) -> None:
        now[0] += max(seconds, 0.001)
        if seconds >= 1 and waiting:
            waiting.pop()()
        await asyncio.sleep(0)

    return Clock(monotonic=lambda: now[0], sleep=sleep)


def apply_throttled(bench: Bench, plan: Plan, operation: str, meanwhile: Callable[[], object]) -> ApplyResult:
    bench.emulator.add_fault(f"{operation}:429:first=1,retry-after=6")

    async def nap(_seconds: float) -> None:
        await asyncio.sleep(0)

    async def run() -> ApplyResult:
        target = ProjectTarget(project_id=DEFAULT_PROJECT_ID, secret=Secret(DEFAULT_SECRET))
        limits = Limits(requests_per_second=1000)
        transport = in_process(bench.emulator.transport())
        async with connect(target, limits, transport=transport, clock=quick_clock(meanwhile)) as provider:
            return await apply_changes(
                plan.changes,
                provider,
                SECRETS,
                observer=Watcher(),
                stop=asyncio.Event(),
                concurrency=2,
                clock=lambda: 0.0,
                read_back=ReadBackPolicy(waits=(0.0,)),
                sleep=nap,
            )

    return asyncio.run(run())


def refused(result: ApplyResult) -> str:
    (outcome,) = result.outcomes
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith("changed since the plan")
    return outcome.message


@pytest.fixture
def connection_id(bench: Bench) -> str:
    bench.apply(bench.plan(declare(present())))
    found: Any = bench.live()[0]["connection_id"]
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("edit", [{"client_id": "theirs"}, {"client_secret": "theirs"}])
def test_an_update_that_waited_overwrites_nothing(
    bench: Bench, connection_id: str, edit: dict[str, str]
) -> None:
    bench.emulator.edit_connection(connection_id, token_url="https://old.example.com/token")
    plan = bench.plan(declare(present()))
    result = apply_throttled(
        bench, plan, "update-oidc-connection", lambda: bench.emulator.edit_connection(connection_id, **edit)
    )
    assert next(iter(edit)) in refused(result)
    live = bench.emulator.connection(connection_id)
    assert live | edit == live
    assert live["token_url"] == "https://old.example.com/token"


def test_a_delete_that_waited_leaves_alone_what_was_renamed(bench: Bench, connection_id: str) -> None:
    plan = bench.plan(declare(absent()))
    result = apply_throttled(
        bench,
        plan,
        "delete-connection",
        lambda: bench.emulator.edit_connection(connection_id, display_name="still needed"),
    )
    assert "display_name" in refused(result)
    assert len(bench.live()) == 1


def test_a_create_that_waited_makes_no_second_one(bench: Bench) -> None:
    plan = bench.plan(declare(present()))

    def somebody() -> None:
        bench.emulator.add_connection("acme", display_name=DECLARED.display_name)

    refused(apply_throttled(bench, plan, "create-oidc-connection", somebody))
    assert len(bench.live()) == 1


@pytest.mark.parametrize("operation", ["create-oidc-connection", "update-oidc-connection"])
def test_what_waited_undisturbed_is_carried_out(bench: Bench, operation: str) -> None:
    plan = bench.plan(declare(present()))
    assert apply_throttled(bench, plan, operation, lambda: None).added == 1
    assert not bench.plan(declare(present())).has_changes
