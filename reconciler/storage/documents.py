"""Reading JSON documents that earlier runs wrote: regular files only, and no more than there may be."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.core.plan_document import Document

MOST_BYTES: Final = 256 * 1024 * 1024
"""A larger file is no document of ours."""


class UnreadableDocument(Exception):
    """The file cannot be read, or is not what it should be; the text says why, without the path."""


def read_document(path: Path, kind: str) -> Document:
    """Return the JSON in a file that should be a ``kind``; whether it is a document, its reader checks.

    Raises:
        UnreadableDocument: there is none that can be read.
    """
    try:
        document: Document = json.loads(_read(path, kind), parse_constant=_refuse)
    except RecursionError as error:
        raise UnreadableDocument(f"this is no {kind}: it is nested too deeply") from error
    except ValueError as error:
        raise UnreadableDocument(f"this is no {kind}: it is not JSON") from error
    except OSError as error:
        raise UnreadableDocument(f"cannot be read: {error.strerror or error}") from error
    return document


def _read(path: Path, kind: str) -> str:
    """Read a file; a pipe without a writer is not waited for, and a device has no end."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
            raise IsADirectoryError(None, "Is a directory")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UnreadableDocument(f"this is no {kind}: it is no regular file")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UnreadableDocument(f"this is no {kind}: it is too large")
    return content.decode("utf-8")


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(constant)
