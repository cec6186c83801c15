"""Expands globs: finds the files that one selects, and tells whether it selects a path.

Globs mean the same in every version of Python: ``**`` follows no links, and hidden names are skipped.
"""

from __future__ import annotations

import errno
import os
import re
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY_DEPTH: Final = "**"

WILDCARD: Final = re.compile(r"[*?\[]")

_MOST_GLOBS: Final = 256

_BRACES: Final = re.compile(r"\{([^{}]*)\}")

_NOT_FOUND: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""There is no file or folder of that name, or it is a link that leads to none."""


class LeavesFolder(Exception):
    """A folder on the way of a glob is a link that leads out of the project; ``path`` names it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def expand_braces(glob: str) -> tuple[str, ...]:
    """Return the globs that one with ``{a,b}`` stands for.

    Raises:
        ValueError: there are unreasonably many.
    """
    globs = [glob]
    while (match := _BRACES.search(globs[0])) is not None:
        choices = match[1].split(",")
        if len(globs) * len(choices) > _MOST_GLOBS:
            raise ValueError("too many choices")
        globs = [_choose(each, choice) for each in globs for choice in choices]
    return tuple(globs)


def split_glob(glob: str) -> tuple[str, ...]:
    """Return the steps of a relative glob, with repeated ``**`` reduced to one.

    Raises:
        ValueError: it is empty, absolute, leads upwards, or uses ``**`` within a name.
    """
    steps = Path(glob).parts
    if not steps or Path(glob).is_absolute():
        raise ValueError("it has to be relative")
    if os.pardir in steps:
        raise ValueError("it leads out of its folder")
    if any(ANY_DEPTH in step and step != ANY_DEPTH for step in steps):
        raise ValueError("** stands for whole folders")
    previous = ("", *steps)
    return tuple(step for before, step in zip(previous, steps, strict=False) if {before, step} != {ANY_DEPTH})


def matches(parts: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    """Whether the parts of a path match the steps of a glob."""
    if not steps:
        return not parts
    if steps[0] == ANY_DEPTH:
        return any(matches(parts[skipped:], steps[1:]) for skipped in range(len(parts)))
    return bool(parts) and bool(_compiled(steps[0]).match(parts[0])) and matches(parts[1:], steps[1:])


def walk(folder: str, steps: tuple[str, ...], within: str = os.sep) -> Iterator[str]:
    """Yield what is below a folder and matches the steps of a glob; some of it twice, in no order.

    Raises:
        LeavesFolder: a folder on the way is a link that leads out of the real folder ``within``.
        OSError: a folder on the way exists and cannot be read.
    """
    if not steps:
        return
    step, rest = steps[0], steps[1:]
    if step == ANY_DEPTH:
        for below in _folders(folder):
            yield from walk(below, rest, within)
    else:
        names = _matching(folder, step, rest) if WILDCARD.search(step) else _named(folder, step)
        for path in names:
            if rest:
                _check_within(path, within)
                yield from walk(path, rest, within)
            else:
                yield path


def _choose(glob: str, choice: str) -> str:
    """Return the glob with its first ``{a,b}`` replaced by one of its choices."""
    before, _braces, after = _BRACES.split(glob, maxsplit=1)
    return before + choice + after


def _join(folder: str, name: str) -> str:
    """Return the path of a name in a folder, as pathlib would write it."""
    return name if folder == os.curdir else f"{folder.rstrip(os.sep)}{os.sep}{name}"


@lru_cache(maxsize=256)
def _compiled(step: str) -> re.Pattern[str]:
    return re.compile(translate(step))


def _matching(folder: str, step: str, rest: tuple[str, ...]) -> Iterator[str]:
    match = _compiled(step).match
    for entry in _entries(folder):
        if match(entry.name) and (not rest or _is_folder(entry)):
            yield _join(folder, entry.name)


def _named(folder: str, name: str) -> Iterator[str]:
    if _exists(path := _join(folder, name)):
        yield path


def _check_within(path: str, within: str) -> None:
    """Refuse a link that leads out of a folder, before anything there is listed."""
    if Path(path).is_symlink() and not Path(os.path.realpath(path)).is_relative_to(within):
        raise LeavesFolder(path)


def _folders(folder: str) -> Iterator[str]:
    """Yield a folder and all folders below it."""
    waiting = [folder]
    while waiting:
        yield (current := waiting.pop())
        waiting += [
            _join(current, entry.name) for entry in _entries(current) if entry.is_dir(follow_symlinks=False)
        ]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if error.errno in _NOT_FOUND:
            return []
        raise


def _exists(path: str) -> bool:
    """Whether there is such a name; a link that leads nowhere is reported when it is read."""
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno in _NOT_FOUND:
            return False
        raise
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry, or what a link leads to, is a folder; a circular link leads to none."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno in _NOT_FOUND:
            return False
        raise
