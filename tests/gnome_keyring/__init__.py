"""GNOME's keyring, on a D-Bus of its own, with all its files in a folder of the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.support.programs import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROGRAMS: Final = ("dbus-run-session", "gnome-keyring-daemon", "secret-tool")
_START_LIMIT: Final = 20.0
_DAEMON: Final = (
    "echo $DBUS_SESSION_BUS_ADDRESS; exec gnome-keyring-daemon --foreground --unlock --components=secrets"
)
_CONNECT: Final = "import secretstorage as s; bus = s.dbus_init(); "
_CHECK: Final = _CONNECT + "assert s.check_service_availability(bus)"
_LOCK: Final = _CONNECT + "s.get_default_collection(bus).lock()"


@dataclass(frozen=True, slots=True)
class GnomeKeyring:
    """An unlocked keyring, and the variables by which programs reach it."""

    variables: dict[str, str]

    def store(self, service: str, user: str, password: str) -> None:
        """Store a password with the desktop's own program."""
        words = ["secret-tool", "store", "--label=x", "service", service, "username", user]
        self._run(words, password)

    def lock(self) -> None:
        """Lock the keyring; there is no desktop that could ask for its password."""
        self._run(_python(_LOCK))

    def _run(self, words: list[str], text: str = "") -> None:
        environment = {**os.environ, **self.variables}
        subprocess.run(words, input=text, text=True, env=environment, check=True, timeout=_START_LIMIT)


@contextmanager
def running_keyring(folder: Path) -> Iterator[GnomeKeyring]:
    """Run a keyring until the block ends."""
    if not all(map(shutil.which, _PROGRAMS)):
        skip_or_fail("needs the packages gnome-keyring, dbus and libsecret-tools: make tools")
    variables = {"HOME": str(folder)}
    for name in ("DATA", "CONFIG", "CACHE"):
        variables[f"XDG_{name}_HOME"] = _folder(folder / name.lower())
    variables["XDG_RUNTIME_DIR"] = _folder(folder / "run")
    with (folder / "daemon.log").open("wb") as log:
        process = subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", _DAEMON],
            env={"PATH": os.environ["PATH"], **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        assert process.stdin
        assert process.stdout
        process.stdin.write("the-password-of-the-keyring")
        process.stdin.close()
        variables["DBUS_SESSION_BUS_ADDRESS"] = process.stdout.readline().strip()
        _wait_until_ready(process, variables)
        yield GnomeKeyring(variables)
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # the bus and the keyring are in its session
        process.wait(timeout=_START_LIMIT)
        if process.stdout is not None:
            process.stdout.close()


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _folder(path: Path) -> str:
    path.mkdir(mode=0o700)
    return str(path)


def _wait_until_ready(process: subprocess.Popen[str], variables: dict[str, str]) -> None:
    deadline = time.monotonic() + _START_LIMIT
    environment = {**os.environ, **variables}
    while subprocess.run(_python(_CHECK), env=environment, check=False, stderr=subprocess.DEVNULL).returncode:
        assert process.poll() is None, "the keyring ended at once"
        assert time.monotonic() < deadline, "the keyring does not start"
        time.sleep(0.05)
