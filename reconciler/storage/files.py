"""Writes files atomically: a reader sees the old content or the new one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace the file at ``path`` in one step.

    A symbolic link is followed unless it leads out of the working directory or belongs to another
    user. An existing file keeps its permissions, and is left alone if it is read-only. What is not a regular
    file (a pipe, a terminal, ``/dev/null``) is written to, since it must not be replaced.

    Raises:
        UsageError: the file cannot be written; what was there is unchanged.
    """
    try:
        target = _target(path)
        if target.exists() and not target.is_file():
            path.write_bytes(_bytes(content))
        else:
            with _temporary_file(target, _bytes(content)) as temporary:
                temporary.replace(target)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise _cannot_write(path, error) from error


def create_atomically(path: Path, text: str) -> bool:
    """Create a file in one step; return False if there is one already.

    Whatever is there already, even a dangling symbolic link, is left alone.

    Raises:
        UsageError: the file cannot be written; it does not exist then.
    """
    try:
        _check_links(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_file(path, text.encode()) as temporary:
            return _link(temporary, path, text)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise _cannot_write(path, error) from error


def check_writable(path: Path) -> None:
    """Check that a file could be written, without writing it.

    Raises:
        UsageError: the folder does not exist, is not a folder, or is not writable.
    """
    try:
        target = _target(path)
        if target.is_dir():
            os.open(target, os.O_WRONLY)  # raises IsADirectoryError
        if not target.exists() or target.is_file():
            _try_folder(target.parent)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise _cannot_write(path, error) from error


def _target(path: Path) -> Path:
    """Return the file that a path leads to.

    Raises:
        OSError: it may not be written.
        UsageError: a link leads out of the working directory, or belongs to another user.
    """
    _check_links(path)
    target = path.resolve()
    if target.is_file() and not target.stat().st_mode & 0o222:
        raise PermissionError(None, "it is read-only")
    return target


def _check_links(path: Path) -> None:
    """Refuse links that a checkout, or another user of this machine, may have put in the way."""
    working_directory = Path.cwd()
    inside = Path(os.path.normpath(working_directory / path))
    if inside.is_relative_to(working_directory):
        if not inside.resolve().is_relative_to(working_directory.resolve()):
            raise UsageError(f"cannot write {path}: a link leads out of the working directory")
        links = [*takewhile(lambda part: part != working_directory, (inside, *inside.parents))]
    else:
        links = [inside]
    for link in links:
        if link.is_symlink() and link.lstat().st_uid not in {0, os.geteuid()}:
            raise UsageError(f"cannot write {path}: the link {link} belongs to another user; name its target")


def _try_folder(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder):
        pass


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


@contextlib.contextmanager
def _temporary_file(target: Path, content: bytes) -> Iterator[Path]:
    """Yield a temporary file in the target's folder that holds the content."""
    handle, name = tempfile.mkstemp(prefix=".reconciler-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_permissions(target))
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _link(temporary: Path, path: Path, text: str) -> bool:
    """Link a file to its name unless that is taken; without hard links, create the file there."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:
        return _create(path, text)
    return True


def _create(path: Path, text: str) -> bool:
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _permissions(target: Path) -> int:
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _cannot_write(path: Path, error: OSError | RuntimeError) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) else None
    return UsageError(f"cannot write {path}: {reason or error}")
