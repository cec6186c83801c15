"""Walks folders by a glob: the paths that fit it, as texts, which take a tenth of the memory of paths.

Globs mean the same on every Python: ``**`` stands for any number of folders and follows no links, and
hidden names are never looked into. A folder that cannot be read is an error: whoever prunes by the
manifests that were found has to know of all.
"""

from __future__ import annotations

import errno
import os
import re
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_DEPTH: Final = "**"
_NOT_THERE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""There is no folder or file of that name, or a link that leads to none."""

MAGIC: Final = re.compile(r"[*?\[]")


def walk(folder: str, steps: tuple[str, ...]) -> Iterator[str]:
    """Yield what is below a folder and fits the steps of a glob; some of it perhaps twice, in no order.

    Raises:
        OSError: a folder on the way is there and cannot be read.
    """
    if not steps:
        return
    step, rest = steps[0], steps[1:]
    if step == ANY_DEPTH:
        for below in _folders(folder):
            yield from walk(below, rest)
    elif MAGIC.search(step):
        yield from _fitting(folder, step, rest)
    elif _is_there(path := join(folder, step)):
        yield from walk(path, rest) if rest else (path,)


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder, as pathlib would write it."""
    return name if folder == os.curdir else f"{folder.rstrip(os.sep)}{os.sep}{name}"


@lru_cache(maxsize=256)
def compiled(step: str) -> re.Pattern[str]:
    """Return what matches the names that a step without ``**`` means."""
    return re.compile(translate(step))


def _fitting(folder: str, step: str, rest: tuple[str, ...]) -> Iterator[str]:
    match = compiled(step).match
    for entry in _entries(folder):
        if match(entry.name) and (not rest or _is_folder(entry)):
            path = join(folder, entry.name)
            yield from walk(path, rest) if rest else (path,)


def _folders(folder: str) -> Iterator[str]:
    """Yield a folder and all below it."""
    waiting = [folder]
    while waiting:
        yield (here := waiting.pop())
        waiting += [join(here, entry.name) for entry in _entries(here) if entry.is_dir(follow_symlinks=False)]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if error.errno in _NOT_THERE:
            return []
        raise


def _is_there(path: str) -> bool:
    """Tell whether there is such a name; a link that leads nowhere is told of when it is read."""
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return False
        raise
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry, or what a link leads to, is a folder; a link in a circle leads to none."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno in _NOT_THERE:
            return False
        raise
