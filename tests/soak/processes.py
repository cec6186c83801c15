"""Real commands against one emulator, each at an address of its own: so the log tells who sent what."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.emulator import Emulator, EmulatorSettings, RunningEmulator
from reconciler.emulator.transport import WebServer
from tests.soak.trace import Trace
from tests.support.project import SECRET, start_apply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.emulator import LoggedRequest
    from tests.soak.rounds import Reckoning

_SECONDS_TO_START: Final = 10.0

_LONGEST: Final = 240
"""Seconds that one process may take before it counts as hung."""


class Command:
    """One `reconciler apply`, and the address at which it reaches the emulator.

    What it says is read all the time: a full pipe would stop it.
    """

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self._said.extend(output)

    @property
    def was_killed(self) -> bool:
        """Whether it has ended by SIGKILL."""
        return self.process.returncode == -signal.SIGKILL

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.send_signal(signal.SIGKILL)

    def freeze(self, seconds: float) -> bool:
        """Stop it for a while; False if it had ended already."""
        if self.process.poll() is not None:
            return False
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)
        return True

    def end(self, reckoning: Reckoning) -> str:
        """Wait for its end, judge how it ended, and return what it has said."""
        try:
            self.process.wait(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            reckoning.wrong.append("a process hung")
        self._reader.join()
        said = "".join(self._said)
        if "Traceback" in said or self.process.returncode not in {0, 1, -signal.SIGKILL}:
            reckoning.wrong.append(f"traceback: exit code {self.process.returncode}: {said[-2000:]}")
        if SECRET in said:
            reckoning.wrong.append("a secret was told")
        return said


@dataclass
class Commands:
    """Starts commands, each with an address of its own; ``addresses`` are left."""

    emulator: Emulator
    folder: Path
    addresses: list[str]
    started: list[Command] = field(default_factory=list)

    def start(self) -> Command:
        """Start an apply."""
        address = self.addresses.pop()
        process = start_apply(RunningEmulator(self.emulator, address), self.folder)
        self.started.append(Command(process, address))
        return self.started[-1]

    def wait(self, command: Command, requests: int, seconds: float) -> None:
        """Wait a little longer than until the service has got so many requests, or the process has ended."""
        while command.process.poll() is None and len(self.emulator.request_log) < requests:
            time.sleep(0.005)
        time.sleep(seconds)

    def trace(self) -> Trace:
        """Return what all of them have sent."""
        return Trace(
            requests=tuple(self.emulator.request_log),
            runner=_address,
            killed={command.address for command in self.started if command.was_killed},
        )

    def duplicates(self, declared: Mapping[str, Sequence[str]]) -> list[list[dict[str, str]]]:
        """Return the connections of each declared name that has several."""
        live = [
            [one for one in self.emulator.oidc_connections(organization) if one["display_name"] == name]
            for organization, names in declared.items()
            for name in names
        ]
        return [connections for connections in live if len(connections) > 1]


@contextmanager
def commands(settings: EmulatorSettings, folder: Path, count: int) -> Iterator[Commands]:
    """Serve an emulator to ``count`` commands, until the end of the block."""
    ready = threading.Event()
    with ExitStack() as stack:
        emulator = stack.enter_context(closing(Emulator(settings)))
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048)) for _ in range(count)
        ]
        server = WebServer(emulator.application, ready.set)
        thread = threading.Thread(target=server.run, args=(listeners,), name="emulator", daemon=True)
        thread.start()
        try:
            if not ready.wait(_SECONDS_TO_START):
                raise RuntimeError("the emulator did not start")
            addresses = [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
            yield Commands(emulator, folder, addresses)
        finally:
            server.should_exit = True
            thread.join(_SECONDS_TO_START)


def _address(entry: LoggedRequest) -> str:
    """Return the address at which a request has arrived."""
    return f"http://{entry.headers['host']}"
