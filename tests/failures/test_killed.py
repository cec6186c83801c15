"""The real command, killed with SIGKILL at each request: the next run resumes, and nothing is doubled."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import EmulatorSettings, running_emulator
from tests.support.fixtures import bare
from tests.support.project import SECRET, start_apply, write_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.emulator import Emulator, RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare"]

CREATES = (
    ("get-organization", 1),
    ("list-connections", 1),
    ("list-connections", 2),
    ("create-oidc-connection", 1),
    ("update-oidc-connection", 1),
    ("list-connections", 3),
)
"""The requests of an apply that creates one connection, in order."""


@pytest.fixture
def running() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings(random_seed=1)) as emulator:
        emulator.emulator.add_organization("acme")
        yield emulator


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator) -> Workplace:
    write_project(bare.root, {"acme": ("sso",)})
    bare.use(running)
    bare.setenv("IDP_CLIENT_SECRET", SECRET)
    return bare


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def kill_at(running: RunningEmulator, place: Workplace, fault: str, operation: str, nth: int) -> None:
    """Start an apply, and kill it while that request waits for an answer that does not come."""
    name = running.emulator.add_fault(f"{operation}:{fault},nth={nth},seconds=60")
    process = start_apply(running, place.root)
    until(lambda: any(request.faults for request in running.emulator.request_log))
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert "Apply complete" not in out
    running.emulator.remove_fault(name)


def apply(place: Workplace) -> str:
    """Apply again, in this process: only the run that is killed has to be another one."""
    run = place.run("apply", "--auto-approve")
    assert run.code == 0, run.output
    return run.out


def names(emulator: Emulator) -> list[tuple[str, str, str]]:
    return [
        (connection["display_name"], connection["status"], connection["client_secret"])
        for connection in emulator.oidc_connections("acme")
    ]


@pytest.mark.parametrize("fault", ["hang:before", "hang:after"])
@pytest.mark.parametrize(("operation", "nth"), CREATES)
def test_a_killed_create_is_resumed(
    running: RunningEmulator, place: Workplace, operation: str, nth: int, fault: str
) -> None:
    kill_at(running, place, fault, operation, nth)
    left = running.emulator.oidc_connections("acme")
    out = apply(place)
    assert names(running.emulator) == [("sso", "active", SECRET)]
    assert [connection["connection_id"] for connection in left] in (
        [],
        [connection["connection_id"] for connection in running.emulator.oidc_connections("acme")],
    )
    assert "Resources: " in out


@pytest.mark.parametrize("fault", ["hang:before", "hang:after"])
def test_a_killed_update_is_done_by_the_next_run(
    running: RunningEmulator, place: Workplace, fault: str
) -> None:
    apply(place)
    (live,) = running.emulator.oidc_connections("acme")
    running.emulator.edit_connection(live["connection_id"], client_id="edited")
    running.emulator.request_log.clear()
    kill_at(running, place, fault, "update-oidc-connection", 1)
    apply(place)
    (live,) = running.emulator.oidc_connections("acme")
    assert live["client_id"] == "client-acme-sso"


@pytest.mark.parametrize("fault", ["hang:before", "hang:after"])
def test_a_killed_delete_is_done_by_the_next_run(
    running: RunningEmulator, place: Workplace, fault: str
) -> None:
    apply(place)
    running.emulator.request_log.clear()
    write_project(place.root, {"acme": ("sso",)}, absent={"sso"})
    kill_at(running, place, fault, "delete-connection", 1)
    apply(place)
    assert running.emulator.oidc_connections("acme") == ()


def test_a_create_that_takes_effect_after_its_run_was_killed_is_found_by_the_next_one(
    running: RunningEmulator, place: Workplace
) -> None:
    """The request was on its way: the service carries it out although nobody waits for the answer."""
    running.emulator.add_fault("create-oidc-connection:latency:first=1,seconds=1")
    process = start_apply(running, place.root)
    until(lambda: len(running.emulator.request_log.of("list-connections")) == 2)
    time.sleep(0.3)
    process.kill()
    process.communicate(timeout=30)
    until(lambda: bool(running.emulator.request_log.of("create-oidc-connection")))
    apply(place)
    assert names(running.emulator) == [("sso", "active", SECRET)]


def test_two_runs_at_once_double_nothing_that_they_do_not_name(
    running: RunningEmulator, place: Workplace
) -> None:
    running.emulator.add_fault("*:latency:seconds=0,up-to=0.2")
    processes = [start_apply(running, place.root) for _ in range(2)]
    output = "".join(process.communicate(timeout=60)[0] for process in processes)
    live = running.emulator.oidc_connections("acme")
    assert "Traceback" not in output
    assert len(live) == 1 or all(connection["connection_id"] in output for connection in live)
