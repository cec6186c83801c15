"""Files before their turn: what they hold, and which organizations they seem to declare."""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.manifests.reading import fetch
from reconciler.manifests.text import ORGANIZATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.manifests.limits import ReadLimits

_FILES_AHEAD: Final = 1000
"""As many as one search of the API can find organizations, if each file declares one."""

_BYTES_AHEAD: Final = 8 * 1024 * 1024
"""What files hold that wait for their turn; beyond that they are read again then."""

_MOST_SEEN: Final = 100
"""Organizations that are looked for in one file, which may be hostile."""

_KEY: Final = b"organization:"

_VALUE: Final = re.compile(
    rb"""[ ]+(["']?)(%b)\1(?:[ ]+#.*|[ ]*)\r?(?:\n|\Z)""" % ORGANIZATION.strip("^$").encode()
)
"""What follows the key as nearly everybody writes it. Who writes it otherwise is merely not foreseen."""


class Upcoming(NamedTuple):
    """A file whose turn it is. ``fetched`` is what it holds, or None if it has to be read again.

    ``foreseen`` are organizations that it and the files after it seem to declare, each told once.
    """

    path: str
    fetched: bytes | OSError | None
    foreseen: tuple[str, ...]


def look_ahead(files: Iterable[str], limits: ReadLimits) -> Iterator[Upcoming]:
    """Yield files in their order, with an eye on those that follow."""
    ahead = _Ahead(files, limits.max_bytes)
    while True:
        foreseen = tuple(ahead.fill())
        taken = ahead.take()
        if taken is None:
            return
        yield Upcoming(*taken, foreseen)


class _Ahead:
    """The files that wait for their turn."""

    def __init__(self, files: Iterable[str], max_bytes: int) -> None:
        self._following = iter(files)
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[str, bytes | OSError | None]] = deque()
        self._held = 0

    def fill(self) -> Iterator[str]:
        """Let as many files wait as may, and yield the organizations that they seem to declare."""
        while len(self._waiting) < _FILES_AHEAD and (file := next(self._following, None)) is not None:
            fetched = fetch(file, self._max_bytes)
            if isinstance(fetched, bytes):
                yield from islice(_seen_in(fetched), _MOST_SEEN)
            self._waiting.append((file, self._kept(fetched)))

    def take(self) -> tuple[str, bytes | OSError | None] | None:
        """Return the file whose turn it is, or None after the last one."""
        if not self._waiting:
            return None
        path, fetched = self._waiting.popleft()
        self._held -= _size(fetched)
        return path, fetched

    def _kept(self, fetched: bytes | OSError) -> bytes | OSError | None:
        if self._held + _size(fetched) > _BYTES_AHEAD:
            return None
        self._held += _size(fetched)
        return fetched


def _size(fetched: bytes | OSError | None) -> int:
    return len(fetched) if isinstance(fetched, bytes) else 0


def _seen_in(content: bytes) -> Iterator[str]:
    """Yield what stands after the key at the beginning of a line, so that nothing need be parsed.

    A line within a quoted text may be taken for one; that costs a place in a search.
    """
    place = content.find(_KEY)
    while place >= 0:
        following = place + len(_KEY)
        if place == 0 or content[place - 1 : place] == b"\n":
            found = _VALUE.match(content, following)
            if found is not None:
                yield found[2].decode()
        place = content.find(_KEY, following)
