"""A file that was read, as bytes that another process can read it from."""

from __future__ import annotations

import marshal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.manifests.composer import Document
from reconciler.manifests.findings import Findings
from reconciler.manifests.reading import ReadFile
from reconciler.manifests.source import Source

if TYPE_CHECKING:
    from reconciler.manifests.events import Mark
    from reconciler.manifests.limits import ReadLimits

NOTHING = b""
"""Stands for a file that cannot be sent: whoever wants it reads it again."""


@dataclass(slots=True, eq=False)
class _Place:
    """A `reconciler.manifests.events.Mark` without the text around it."""

    index: int
    line: int
    column: int


def pack(name: str, read: ReadFile) -> bytes:
    """Return a file of which nothing is to be said, and which holds plain values only; else `NOTHING`."""
    if read.findings.diagnostics:
        return NOTHING
    documents = [
        (index, one.value, _place(one.start), {name: _place(mark) for name, mark in one.marks.items()})
        for index, one in read.documents
    ]
    try:
        return marshal.dumps((name, read.source.text, read.source.offset, read.source.is_ascii, documents))
    except ValueError:  # a date, or what is no value at all
        return NOTHING


def unpack(name: str, parcel: bytes, shown: str, limits: ReadLimits) -> ReadFile | None:
    """Return the file in a parcel that this very version of the program packed, or None if it is another one.

    ``shown`` is its path for people.
    """
    packed, text, offset, is_ascii, documents = marshal.loads(parcel)  # noqa: S302 - from a process of our own
    if packed != name:
        return None
    source = Source(shown, text, offset, is_ascii=is_ascii)
    return ReadFile(
        source,
        Findings(source, limits.max_depth),
        tuple(
            (index, Document(value, _Place(*start), marks={name: _Place(*at) for name, at in marks.items()}))
            for index, value, start, marks in documents
        ),
    )


def _place(mark: Mark) -> tuple[int, int, int]:
    return mark.index, mark.line, mark.column
