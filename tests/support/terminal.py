"""Runs commands in a pseudo terminal, and renders what a person sees on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.support.workplace import Workplace

# the terminal must be the process's controlling one, or Ctrl-C means nothing in it; nor does it where
# whoever started the tests ignores it, as a shell does for what it runs in the background
_CONTROLLING = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
PROGRAM = f"{_CONTROLLING}from reconciler.cli.main import main\nsys.exit(main())\n"
_SHELL = f"{_CONTROLLING}os.execvp(sys.argv[1], sys.argv[1:])\n"
_SHELLS = {
    "bash": ("--noprofile", "--norc", "-i"),
    "zsh": ("-f", "-i"),
    "fish": ("--no-config", "--private", "--init-command", "function fish_prompt; echo -n '$ '; end"),
}
_PATIENCE = 30.0
_ROWS = 40
_PROMPT = "$ "


class Terminal:
    """A pseudo terminal: `type` presses keys, `screen` is what was written to it, `text` what it shows.

    `frames` is what was visible after each piece of output. What was written contains the escape sequences.
    What is shown is what a person reads who scrolls up to the start: lines that were erased or overwritten
    are gone.
    """

    def __init__(self, process: subprocess.Popen[bytes], keyboard: int, columns: int) -> None:
        self.process = process
        self.screen = ""
        self.frames: list[list[str]] = []
        self._keyboard = keyboard
        self._emulated = pyte.HistoryScreen(columns, _ROWS, history=100_000)
        self._stream = pyte.ByteStream(self._emulated)

    @property
    def lines(self) -> list[str]:
        """The lines that the terminal shows, those that were scrolled out first."""
        scrolled = [
            "".join(row[column].data for column in range(self._emulated.columns)).rstrip()
            for row in self._emulated.history.top
        ]
        return [*scrolled, *(row.rstrip() for row in self._emulated.display)]

    @property
    def text(self) -> str:
        """The lines that the terminal shows, as one text."""
        return "\n".join(self.lines).rstrip("\n") + "\n"

    @property
    def shows_cursor(self) -> bool:
        return not self._emulated.cursor.hidden

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while text not in self.screen:
            assert time.monotonic() < deadline, f"{text!r} never came: {self.screen}"
            if not self._read():
                break
        assert text in self.screen, self.screen

    def enter(
        self, command: str, *, hidden: str = "", answers: Mapping[str, str] = {}, patience: float = _PATIENCE
    ) -> str:
        """Type a command into a shell, wait for the next prompt, and return what the command showed.

        ``hidden`` is what the command asks for without showing it, ``answers`` what to type at questions.
        """
        start = self.text.rstrip("\n").count("\n")
        self.type(f"{command}\n")
        if hidden:
            self.type_hidden(hidden)
        for question, answer in answers.items():
            self.wait_until_shown(question, after=start)
            self.type(f"{answer}\n")
        deadline = time.monotonic() + patience
        while self._is_running(start):
            assert time.monotonic() < deadline, f"{command} did not end:\n{self.text}"
            assert self._read(), self.text
        rows_typed = 1 + (len(_PROMPT + command) - 1) // self._emulated.columns
        return "".join(f"{line}\n" for line in self.text.splitlines()[start + rows_typed : -1])

    def wait_until_shown(self, text: str, *, after: int = 0) -> None:
        """Wait until a line below ``after`` shows a text."""
        deadline = time.monotonic() + _PATIENCE
        while not any(text in line for line in self.lines[after:]):
            assert time.monotonic() < deadline, f"{text!r} is not shown:\n{self.text}"
            assert self._read(), self.text

    def type_hidden(self, text: str) -> None:
        """Wait until the terminal neither shows what is typed nor edits it, as for a password, and type."""
        deadline = time.monotonic() + _PATIENCE
        while (termios.tcgetattr(self._keyboard)[3] & (termios.ECHO | termios.ICANON)) != termios.ICANON:
            assert time.monotonic() < deadline, f"nothing asks for hidden text:\n{self.text}"
            time.sleep(0.01)
        self.type(f"{text}\n")

    def end(self) -> tuple[int, str]:
        """Wait for the end, and return the exit code and the result, if that does not go to the screen."""
        while self._read():
            pass
        result = self.process.stdout.read().decode() if self.process.stdout is not None else ""
        return self.process.wait(_PATIENCE), result

    def _is_running(self, start: int) -> bool:
        """Say whether no prompt stands below the line on which the command was typed."""
        lines = self.text.splitlines()
        return len(lines) <= start + 1 or lines[-1] != _PROMPT.rstrip()

    def _read(self) -> bool:
        if not select.select([self._keyboard], [], [], _PATIENCE)[0]:
            raise AssertionError(f"nothing came for {_PATIENCE} seconds:\n{self.text}")
        written = b""
        with suppress(OSError):  # how Linux says that the other side is closed
            written = os.read(self._keyboard, 65536)
        self._stream.feed(written)
        self.screen += written.decode(errors="replace").replace("\r\n", "\n")
        self.frames.append("\n".join(row.rstrip() for row in self._emulated.display).rstrip("\n").split("\n"))
        return bool(written)


@contextmanager
def terminal(
    place: Workplace, *words: str, columns: int = 80, result_on_screen: bool = False
) -> Iterator[Terminal]:
    """Run the command with its keyboard and errors at a terminal; its result only if that is asked for."""
    command = [sys.executable, "-c", PROGRAM, *words]
    with _attached(command, place.root, dict(os.environ), columns, result_on_screen) as attached:
        yield attached


@contextmanager
def shell(
    folder: Path, environment: Mapping[str, str], columns: int = 80, program: str = "bash"
) -> Iterator[Terminal]:
    """Run an interactive shell in a folder, all at a terminal."""
    settings = {
        "PS1": _PROMPT,
        "TERM": "xterm-256color",
        "INPUTRC": os.devnull,
        "HISTFILE": os.devnull,
        "BASH_SILENCE_DEPRECATION_WARNING": "1",
    }
    command = [sys.executable, "-c", _SHELL, program, *_SHELLS[program]]
    with _attached(command, folder, {**environment, **settings}, columns, result_on_screen=True) as attached:
        attached.wait_for(_PROMPT)
        yield attached


@contextmanager
def _attached(
    command: Sequence[str], folder: Path, environment: dict[str, str], columns: int, result_on_screen: bool
) -> Iterator[Terminal]:
    keyboard, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={name: value for name, value in environment.items() if name not in {"COLUMNS", "LINES"}},
        stdin=screen,
        stderr=screen,
        stdout=screen if result_on_screen else subprocess.PIPE,
        start_new_session=True,
    )
    os.close(screen)
    try:
        yield Terminal(process, keyboard, columns)
    finally:
        process.kill()
        process.wait(_PATIENCE)
        os.close(keyboard)
        if process.stdout is not None:
            process.stdout.close()
