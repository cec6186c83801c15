"""A socket layer that only records, and a project on the emulator whose providers stand on loopback."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.idp.provider import scripted_provider, write_authority
from tests.support.fixtures import bare, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import RunningEmulator
    from tests.idp.provider import ScriptedProvider
    from tests.support.workplace import Workplace

__all__ = ["bare", "running"]


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Replace the socket layer, below the HTTP client: every attempt to look up or connect is recorded."""
    attempts: list[object] = []

    def refuse(*arguments: object, **_options: object) -> NoReturn:
        attempts.append(next((item for item in arguments if isinstance(item, str | tuple)), arguments))
        raise ConnectionRefusedError("the socket layer is replaced")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    return attempts


@pytest.fixture
def created(monkeypatch: pytest.MonkeyPatch) -> list[socket.AddressFamily]:
    """Record every socket of the Internet's families that is made, whether or not it is connected."""
    families: list[socket.AddressFamily] = []
    real = socket.socket.__init__

    def make(self: socket.socket, *arguments: Any, **options: Any) -> None:
        real(self, *arguments, **options)
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            families.append(socket.AddressFamily(self.family))

    monkeypatch.setattr(socket.socket, "__init__", make)
    return families


@pytest.fixture
def place(bare: Workplace, running: RunningEmulator) -> Workplace:
    """The organization acme without connections, and a project file that trusts the providers' authority."""
    bare.use(running)
    bare.emulator.add_organization("acme")
    file = write_authority(bare.root)
    bare.write("reconciler.yaml", f"idp: {{ca_file: {file}, timeout: 3}}\n")
    return bare


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with scripted_provider() as provider:
        yield provider
