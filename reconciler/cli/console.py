"""Prints results on standard output and everything else on standard error; handles closed or full streams."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Prints results and messages. ``color``: always, never or auto; ``verbosity``: 0, 1, 2."""

    color: str = "auto"
    quiet: bool = False
    verbosity: int = 0
    log_format: str = "text"

    def result(self, text: str) -> None:
        """Print the result on standard output."""
        click.echo(text.rstrip("\n"), color=True)

    def info(self, text: str) -> None:
        """Print a message on standard error, unless ``--quiet`` is set."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Print a message on standard error, even with ``--quiet``."""
        click.echo(text.rstrip("\n"), err=True, color=True)

    @property
    def colors_stdout(self) -> bool:
        """Whether to color standard output."""
        return _use_color(self.color, is_terminal=sys.stdout.isatty())

    @property
    def colors_stderr(self) -> bool:
        """Whether to color standard error."""
        return _use_color(self.color, is_terminal=sys.stderr.isatty())

    @property
    def is_interactive(self) -> bool:
        """Whether standard input is a terminal."""
        return sys.stdin is not None and sys.stdin.isatty()

    def ask(self, question: str) -> str:
        """Ask on standard error and return the answer; empty at the end of input.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        click.echo(question, err=True, nl=False)
        return sys.stdin.readline().strip()


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals besides Ctrl-C that stop a run: SIGTERM, and SIGHUP unless it is ignored (nohup)."""
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGTERM,) if is_ignored else (signal.SIGTERM, signal.SIGHUP)


class StdoutClosed(Exception):
    """Standard output is closed, or the disk that it is redirected to is full."""


def check_stdout() -> None:
    """Fail before any work if there is no standard output; escape characters that it cannot encode.

    Raises:
        StdoutClosed: it is closed.
    """
    if sys.stdout is None:
        raise StdoutClosed("it is closed")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def ignore_stderr_errors() -> Iterator[None]:
    """Keep a closed or full standard error from failing the run."""
    stderr = sys.stderr
    sys.stderr = _null_stream() if stderr is None else _UnfailingStream(stderr)
    try:
        yield
    finally:
        if stderr is not None:
            sys.stderr = stderr


def discard(stream: TextIO | None) -> None:
    """Send what is left in the stream's buffer to the null device, so that flushing it at exit succeeds."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _UnfailingStream:
    """A stream that discards its output after the first failed write."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or discard."""
        try:
            return self._stream.write(text)
        except OSError:
            discard(self._stream)
            return len(text)

    def flush(self) -> None:
        """Flush, or discard."""
        try:
            self._stream.flush()
        except OSError:
            discard(self._stream)

    def __getattr__(self, name: str) -> object:
        """Return any other attribute of the stream."""
        return getattr(self._stream, name)


def _null_stream() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _use_color(choice: str, *, is_terminal: bool) -> bool:
    if choice != "auto":
        return choice == "always"
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
