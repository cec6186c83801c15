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
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    OnError = Callable[[OSError], object]
    """Called with the error of a folder that is left out."""

ANY_DEPTH: Final = "**"

WILDCARD: Final = re.compile(r"[*?\[]")

_MOST_GLOBS: Final = 256

_BRACES: Final = re.compile(r"\{([^{}]*)\}")

_NOT_FOUND: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""There is no file or folder of that name, or it is a link that leads to none."""


class LeavesFolder(OSError):
    """A folder on the way of a glob is a link that leads out of the project; ``filename`` names it."""


def _raise(error: OSError) -> NoReturn:
    raise error


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


def walk(
    folder: str, steps: tuple[str, ...], within: str = os.sep, *, on_error: OnError = _raise
) -> Iterator[str]:
    """Yield what is below a folder and matches the steps of a glob; some of it twice, in no order.

    ``on_error`` is called for each folder on the way that exists and cannot be read, and with `LeavesFolder`
    for each that is a link which leads out of the real folder ``within``.
    """
    if not steps:
        return
    step, rest = steps[0], steps[1:]
    if step == ANY_DEPTH:
        for below in _folders(folder, on_error):
            yield from walk(below, rest, within, on_error=on_error)
    else:
        is_wild = WILDCARD.search(step)
        names = _matching(folder, step, rest, on_error) if is_wild else _named(folder, step, on_error)
        for path in names:
            if rest and _leads_out(path, within):
                on_error(LeavesFolder(errno.EXDEV, "leads out of the folder", path))
            elif rest:
                yield from walk(path, rest, within, on_error=on_error)
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


def _matching(folder: str, step: str, rest: tuple[str, ...], on_error: OnError) -> Iterator[str]:
    match = _compiled(step).match
    for entry in _entries(folder, on_error):
        if match(entry.name) and (not rest or _is_folder(entry, on_error)):
            yield _join(folder, entry.name)


def _named(folder: str, name: str, on_error: OnError) -> Iterator[str]:
    if _exists(path := _join(folder, name), on_error):
        yield path


def _leads_out(path: str, within: str) -> bool:
    """Whether a path is a link that leads out of a folder."""
    return Path(path).is_symlink() and not Path(os.path.realpath(path)).is_relative_to(within)


def _folders(folder: str, on_error: OnError) -> Iterator[str]:
    """Yield a folder and all folders below it."""
    waiting = [folder]
    while waiting:
        yield (current := waiting.pop())
        waiting += [
            _join(current, entry.name)
            for entry in _entries(current, on_error)
            if entry.is_dir(follow_symlinks=False)
        ]


def _entries(folder: str, on_error: OnError) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        if error.errno not in _NOT_FOUND:
            on_error(error)
        return []


def _exists(path: str, on_error: OnError) -> bool:
    """Whether there is such a name; a link that leads nowhere is reported when it is read."""
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno not in _NOT_FOUND:
            on_error(error)
        return False
    return True


def _is_folder(entry: os.DirEntry[str], on_error: OnError) -> bool:
    """Whether an entry, or what a link leads to, is a folder; a circular link leads to none."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno not in _NOT_FOUND:
            on_error(error)
        return False
