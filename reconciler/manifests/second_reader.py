"""Has the files of a large estate read by a second process, while the first one waits for answers."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final

from reconciler.manifests.parcel import NOTHING, unpack
from reconciler.manifests.reading import read_file
from reconciler.manifests.serving import SIZE_BYTES, program

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from reconciler.manifests.limits import ReadLimits
    from reconciler.manifests.reading import ReadFile

FEWEST_FILES: Final = 500
"""Fewer are read before another process has started."""

READ_MEANWHILE: Final = 100
"""Files that are read here while the other process starts, which takes as long."""

LONGEST_WAIT: Final = 2.0
"""Seconds after which another process that says nothing is given up; the largest file takes one."""

SEAL_BYTES: Final = 16
_HEAD: Final = SEAL_BYTES + SIZE_BYTES

_PROGRAM: Final = "from reconciler.manifests.serving import main; main()"
_READ_AT_ONCE: Final = 1024 * 1024


class SecondReader:
    """Reads files in a given order; those that the other process cannot hand over, it reads itself.

    It changes nothing but the time it takes: without another process, or after its end at any moment,
    everything is read here. The other process does nothing but read, and ends with this one. It is
    started for ``fewest_files`` or more; this one reads the first ``meanwhile`` of them until it has started.
    """

    def __init__(self, fewest_files: int = FEWEST_FILES, meanwhile: int = READ_MEANWHILE) -> None:
        self._fewest_files = fewest_files
        self._process: subprocess.Popen[bytes] | None = None
        self._arrived = bytearray()
        self._meanwhile = meanwhile
        self._seal = os.urandom(SEAL_BYTES)

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the other process."""
        self._end()

    def begin(self, names: list[str], limits: ReadLimits) -> None:
        """Have these files read, to be asked for in this order."""
        if len(names) < self._fewest_files or os.name != "posix" or _processors() == 1 or not sys.executable:
            return
        task = {"program": program(), "limits": limits, "seal": self._seal.hex()}
        with suppress(OSError), TemporaryFile("w+") as file:
            file.writelines(
                f"{json.dumps(one)}\n" for one in chain((task,), islice(names, self._meanwhile, None))
            )
            file.seek(0)
            self._process = _start(file.fileno())

    def is_behind(self) -> bool:
        """Tell whether the next file would have to be waited for."""
        while self._process is not None and not self._meanwhile and not self._has_parcel():
            if not _is_readable(self._process, 0):
                return True
            self._receive()
        return False

    def read(self, file: Path, shown: str, limits: ReadLimits) -> ReadFile:
        """Read the next file; see `reconciler.manifests.reading.read_file`."""
        parcel = self._next_parcel()
        if parcel:
            found = unpack(str(file), parcel, shown, limits)
            if found is not None:
                return found
            self._end()
        return read_file(file, shown, limits)

    def _next_parcel(self) -> bytes:
        if self._meanwhile:
            self._meanwhile -= 1
            return NOTHING
        while self._process is not None and not self._has_parcel():
            self._receive()
        if not self._is_sealed():
            self._end()
        return self._parcel() if self._process is not None else NOTHING

    def _has_parcel(self) -> bool:
        return len(self._arrived) >= _HEAD and len(self._arrived) >= _HEAD + self._size()

    def _size(self) -> int:
        return int.from_bytes(self._arrived[SEAL_BYTES:_HEAD], "little")

    def _parcel(self) -> bytes:
        end = _HEAD + self._size()
        parcel = bytes(self._arrived[_HEAD:end])
        del self._arrived[:end]
        return parcel

    def _receive(self) -> None:
        """Take what has come, or wait for it; if nothing comes any more, do without the other process."""
        assert self._process is not None
        assert self._process.stdout is not None
        comes = _is_readable(self._process, LONGEST_WAIT)
        found = os.read(self._process.stdout.fileno(), _READ_AT_ONCE) if comes else b""
        self._arrived += found
        if not found or not self._is_sealed():
            self._end()

    def _is_sealed(self) -> bool:
        """Tell whether what has come begins as the other process begins; a hook of Python may write, too."""
        return self._arrived[:SEAL_BYTES] == self._seal[: len(self._arrived)]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.__exit__(None, None, None)


def _start(task: int) -> subprocess.Popen[bytes]:
    """Start the other process, out of reach of the keys of the terminal.

    ``-P`` keeps the working directory, which holds what others wrote, from being searched for modules; what
    this process does not search, the other one does not either.
    """
    flags = {"-I": sys.flags.isolated, "-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site}
    alike = [name for name, is_set in flags.items() if is_set]
    return subprocess.Popen(  # noqa: S603 - this very interpreter, and a constant
        [sys.executable, "-P", *alike, "-c", _PROGRAM],
        stdin=task,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    )


def _is_readable(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Tell whether something can be read, or nothing ever will, and wait for it for so long."""
    assert process.stdout is not None
    waiting = select.poll()
    waiting.register(process.stdout, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def _processors() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1
