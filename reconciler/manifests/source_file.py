"""A source file: its bytes, its text, and the lines and columns of the text."""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import SourceLocation

if TYPE_CHECKING:
    from pathlib import Path

BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of text: character offsets from 0, ``end`` excluded."""

    start: int
    end: int


@dataclass(frozen=True)  # no slots, so that the lines can be cached
class Source:
    """The text of a file. ``path`` is as the user would type it, ``offset`` the size of a byte order mark."""

    path: str
    text: str
    offset: int = 0

    @property
    def size(self) -> int:
        """The number of bytes of the file."""
        return self.offset + len(self.text.encode())

    def location(self, index: int) -> SourceLocation:
        """Return the place of the character at ``index``."""
        line = bisect_right(self._lines, index, key=itemgetter(0))
        start, byte = self._lines[line - 1]
        before = self.text[start:index]
        return SourceLocation(self.path, line=line, column=len(before) + 1, byte=byte + len(before.encode()))

    def line(self, index: int) -> tuple[str, int]:
        """Return the line around a character, and its offset in the text."""
        start = self.text.rfind("\n", 0, index) + 1
        end = self.text.find("\n", index)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r"), start

    @cached_property
    def _lines(self) -> list[tuple[int, int]]:
        """Where each line begins, in characters of the text and in bytes of the file."""
        starts = []
        start, byte = 0, self.offset
        for line in self.text.split("\n"):
            starts.append((start, byte))
            start += len(line) + 1
            byte += len(line.encode()) + 1
        return starts


def display_path(file: Path | str, directory: Path) -> str:
    """Return a path as someone in ``directory`` would type it."""
    return str(file).removeprefix(f"{directory}{os.sep}")


def read_bytes(file: Path | str, max_bytes: int) -> bytes:
    """Return the content of a regular file, at most one byte more than allowed; never waits on a pipe.

    Raises:
        OSError: the file cannot be read, or is not a regular file.
    """
    with open(file, "rb", opener=_open_without_waiting) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(0, "not a regular file")
        return stream.read(max_bytes + 1)


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)


def open_source(path: str, content: bytes) -> Source:
    """Return the text of a file.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    mark = BYTE_ORDER_MARK.encode()
    offset = len(mark) if content.startswith(mark) else 0
    return Source(path, content[offset:].decode(), offset)
