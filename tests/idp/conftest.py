"""A socket layer that only records."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest


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
