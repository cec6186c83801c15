"""Runs the command in a pseudo terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workplace import Workplace

# the terminal must be the process's controlling one, or Ctrl-C means nothing in it; nor does it where
# whoever started the tests ignores it, as a shell does for what it runs in the background
PROGRAM = """
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
from reconciler.cli.main import main
sys.exit(main())
"""
_PATIENCE = 30.0


class Terminal:
    """What is typed, and what stands on the screen (standard error and input; the result is apart)."""

    def __init__(self, process: subprocess.Popen[bytes], keyboard: int) -> None:
        self.process = process
        self.screen = ""
        self._keyboard = keyboard

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} never came: {self.screen}"
            if not self._read():
                break
        assert text in self.screen, self.screen

    def end(self) -> tuple[int, str]:
        """Wait for the end, and return the exit code and the result."""
        while self._read():
            pass
        assert self.process.stdout is not None
        return self.process.wait(_PATIENCE), self.process.stdout.read().decode()

    def _read(self) -> bool:
        found = b""
        with suppress(OSError):  # how Linux says that the other side is closed
            found = os.read(self._keyboard, 65536)
        self.screen += found.decode(errors="replace").replace("\r\n", "\n")
        return bool(found)


@contextmanager
def terminal(place: Workplace, *words: str) -> Iterator[Terminal]:
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=place.root,
        env=dict(os.environ),
        stdin=screen,
        stderr=screen,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    os.close(screen)
    try:
        yield Terminal(process, keyboard)
    finally:
        process.kill()
        process.wait(_PATIENCE)
        os.close(keyboard)
        assert process.stdout is not None
        process.stdout.close()
