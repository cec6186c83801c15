"""A declared project with credentials in the environment, and a network that records who asks for it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

__all__ = ["bare", "running"]

PROJECT_ID = "project-test-11111111-1111-4111-8111-111111111111"
CANARY = "c4nary-that-nobody-may-see"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Replace the socket layer: nothing is looked up or connected to, and every attempt is recorded."""
    attempts: list[object] = []

    def refuse(*arguments: Any, **_options: Any) -> NoReturn:
        attempts.append(arguments)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    return attempts


@pytest.fixture
def place(bare: Workplace) -> Workplace:
    """A manifest whose secret is not set, so that whoever resolves it fails, and credentials for the API."""
    bare.declare("acme")
    bare.setenv("STYTCH_PROJECT_ID", PROJECT_ID)
    bare.setenv("STYTCH_SECRET", CANARY)
    return bare


@pytest.fixture
def served(bare: Workplace, running: RunningEmulator) -> Workplace:
    """The same on an emulator that only a project file names."""
    bare.use(running)
    bare.delenv("STYTCH_BASE_URL")
    bare.add_organization("acme")
    bare.declare("acme")
    bare.setenv("ACME_CLIENT_SECRET", "hidden-acme-value")
    return bare


@pytest.fixture
def connected(served: Workplace) -> Workplace:
    """The same where the environment names the emulator, as on a machine that may apply."""
    served.setenv("STYTCH_BASE_URL", served.base_url)
    served.write("reconciler.yaml", "limits: {requests_per_second: 500}\n")
    return served
