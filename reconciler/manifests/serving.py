"""The process that reads files for another one: their names come in, and a parcel goes out for each."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.manifests.limits import ReadLimits
from reconciler.manifests.parcel import pack
from reconciler.manifests.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIZE_BYTES: Final = 4
"""Before each parcel stand a seal, which nothing else that is written has by chance, and its length: in so
many bytes, the least significant one first."""

_SENT_AT_ONCE: Final = 16 * 1024
"""Bytes after which parcels are sent, so that few calls of the system are needed."""


def main() -> None:
    """Read what standard input names, and write it to standard output; whoever reads it may go away."""
    gc.disable()
    task, names = json.loads(sys.stdin.readline()), map(json.loads, sys.stdin)
    if task["program"] != program():
        return
    try:
        for parcels in _gathered(names, ReadLimits(*task["limits"]), bytes.fromhex(task["seal"])):
            _write(parcels)
    except BrokenPipeError:
        os._exit(0)


def program() -> str:
    """Return where the modules come from: only the very same ones understand each other."""
    return str(Path(__file__).resolve().parent)


def _gathered(names: Iterable[str], limits: ReadLimits, seal: bytes) -> Iterator[bytes]:
    waiting = bytearray()
    for name in names:
        parcel = pack(name, read_file(Path(name), name, limits))
        waiting += seal + len(parcel).to_bytes(SIZE_BYTES, "little") + parcel
        if len(waiting) >= _SENT_AT_ONCE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _write(content: bytes) -> None:
    while content:
        content = content[os.write(sys.stdout.fileno(), content) :]
