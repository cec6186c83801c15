"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_atomically(path: Path, text: str) -> None:
    """Put ``text`` where ``path`` leads, in one step: the old content or the new, never a mixture.

    A link is followed, so that it stays a link; an existing file keeps its permissions. What is no
    regular file (a pipe, a terminal, ``/dev/null``) is written to, for it must not be replaced.

    Raises:
        UsageError: the place cannot be written to; what was there is as it was.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            _write_through(path, text)
        else:
            _replace(target, text)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise _unwritable(path, error) from error


def create_atomically(path: Path, text: str) -> bool:
    """Put ``text`` into a new file, in one step; tell whether there was none before.

    Whatever is there already, even a link that leads nowhere, is left as it is.

    Raises:
        UsageError: the place cannot be written to; nothing is there then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _filled(path, text) as temporary:
            return _link(temporary, path, text)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise _unwritable(path, error) from error


def check_writable(path: Path) -> None:
    """Find out early, and without a trace, whether a file could be written there.

    Raises:
        UsageError: the folder is not there, is no folder, or is not ours to write in.
    """
    try:
        target = path.resolve()
        if target.is_dir():
            os.open(target, os.O_WRONLY)  # fails with the system's own words
        if not target.exists() or target.is_file():
            _try_folder(target.parent)
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        raise _unwritable(path, error) from error


def _try_folder(folder: Path) -> None:
    import tempfile

    with tempfile.TemporaryFile(dir=folder):
        pass


def _write_through(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)


def _replace(target: Path, text: str) -> None:
    with _filled(target, text) as temporary:
        temporary.replace(target)


@contextlib.contextmanager
def _filled(target: Path, text: str) -> Iterator[Path]:
    """Yield a file beside the target that holds the text; it is gone afterwards."""
    import tempfile

    handle, name = tempfile.mkstemp(prefix=".reconciler-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_permissions(target))
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _link(temporary: Path, path: Path, text: str) -> bool:
    """Give a file its name unless that is taken; where there are no hard links, create it plainly."""
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


def _unwritable(path: Path, error: OSError | RuntimeError) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) else None
    return UsageError(f"cannot write {path}: {reason or error}")
