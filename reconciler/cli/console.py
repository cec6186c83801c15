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

from reconciler.reports.text_style import Style

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
        """Print a message on standard error, even with ``--quiet``; above the progress bar, if there is one.

        While rich draws a bar, it stands for ``sys.stderr``; ``click.echo`` would find the stream behind it.
        """
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()

    @property
    def stdout_style(self) -> Style:
        """Whether to color standard output, and to which width to wrap it."""
        return _style(self.color, sys.stdout)

    @property
    def stderr_style(self) -> Style:
        """Whether to color standard error, and to which width to wrap it."""
        return _style(self.color, sys.stderr)

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
        with _interrupting():
            return sys.stdin.readline().strip()


@contextmanager
def _interrupting() -> Iterator[None]:
    """Let Ctrl-C interrupt a question at once: while asyncio runs, it would go on reading."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # ignored, as in a shell's background
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


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


def _style(choice: str, stream: TextIO) -> Style:
    is_terminal = stream.isatty()
    columns = _columns(stream) if is_terminal else 0
    return Style(color=_use_color(choice, is_terminal=is_terminal), columns=columns)


def _columns(stream: TextIO) -> int:
    """Return the width of a terminal: COLUMNS, if it is set, otherwise what the terminal says."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit():
        return int(columns)
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns
    return 0


def _use_color(choice: str, *, is_terminal: bool) -> bool:
    """Decide as ``--color`` says; with auto, NO_COLOR precedes FORCE_COLOR."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (is_terminal and not is_dumb())


def is_dumb() -> bool:
    """Return whether the terminal says of itself that it can only print."""
    return os.environ.get("TERM") == "dumb"
