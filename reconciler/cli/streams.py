"""Standard streams as callers leave them: closed, full, or with a reader that went away."""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING

from reconciler.cli.exit_code import OutputLost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


@contextmanager
def unfailing_remarks() -> Iterator[None]:
    """Let nothing that is said on standard error fail: whatever becomes of it, the result counts."""
    given = sys.stderr
    sys.stderr = _nowhere() if given is None else _Unfailing(given)
    try:
        yield
    finally:
        if given is not None:
            sys.stderr = given


def check_result_stream() -> None:
    """Make sure, before anything is done, that there is a standard output; let it escape odd letters.

    Raises:
        OutputLost: it is closed.
    """
    if sys.stdout is None:
        raise OutputLost("it is closed")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def give_up(stream: TextIO | None) -> None:
    """Let what is still in a stream's buffer go nowhere, so that nobody complains at the end."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Unfailing:
    """A stream that, once it cannot be written to, takes everything and keeps nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        try:
            return self._stream.write(text)
        except OSError:
            give_up(self._stream)
            return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        try:
            self._stream.flush()
        except OSError:
            give_up(self._stream)

    def __getattr__(self, name: str) -> object:
        """Be the stream in everything else."""
        return getattr(self._stream, name)


def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
