"""The versions of a repository's YAML files on the current branch, from Git."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.storage.git import (
    GitError,
    GitUnavailable,
    ObjectMissing,
    find_work_tree,
    read_objects,
    run_git,
    split_entries,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_COMMIT: Final = "\x01"
_FILES: Final = frozenset({"100644", "100755"})
_YAML: Final = ("*.yaml", "*.yml")
_LOG: Final = ("log", "--first-parent", "-m", "--no-ext-diff", "--no-textconv")
_VERSIONS_AT_ONCE: Final = 50
"""Versions read by one call of Git: most searches end within the newest few."""


class NoHistory(Exception):
    """The history cannot be read; the text says why. ``repository_exists``: there is a repository."""

    def __init__(self, message: str, *, repository_exists: bool = True) -> None:
        super().__init__(message)
        self.repository_exists = repository_exists


@dataclass(frozen=True, slots=True)
class Version:
    """What a file held since a commit. ``path`` is relative to the top of the work tree."""

    commit: str
    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file that a commit wrote; ``blob`` names its content."""

    commit: str
    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class History:
    """The versions of the YAML files of a repository. ``is_shallow``: older commits are not in the clone."""

    folder: Path
    is_shallow: bool
    _entries: tuple[_Entry, ...] = ()

    def versions(self) -> Iterator[Version]:
        """Yield every version, the newest first; merged branches count as what their merge changed.

        Raises:
            NoHistory: Git fails.
        """
        for start in range(0, len(self._entries), _VERSIONS_AT_ONCE):
            entries = self._entries[start : start + _VERSIONS_AT_ONCE]
            with _git_errors(self.folder):
                contents = read_objects(self.folder, [entry.blob for entry in entries])
            for entry, content in zip(entries, contents, strict=True):
                yield Version(entry.commit, entry.path, content)


def open_history(folder: Path, text: str) -> History:
    """Return the history of all YAML files next to a folder, empty if none of them ever held ``text``.

    Raises:
        NoHistory: there is no Git, or no repository.
    """
    paths = ("--", *(f":(top,glob)**/{pattern}" for pattern in _YAML))
    with _git_errors(folder):
        is_shallow = _is_shallow(folder)
        mentions = run_git(folder, *_LOG, "-1", "--format=%H", f"-S{text}", *paths)
        if not mentions.strip() and not is_shallow:
            return History(folder, is_shallow)
        return _read_history(folder, paths, is_shallow=is_shallow)


def open_file_history(folder: Path, files: Sequence[str]) -> History:
    """Return the history of these files of the repository that a folder is in, named relative to its top.

    Raises:
        NoHistory: there is no Git, or no repository.
    """
    paths = ("--", *(f":(top,literal){file}" for file in files))
    with _git_errors(folder):
        return _read_history(folder, paths, is_shallow=_is_shallow(folder))


def tracked_files(folder: Path) -> tuple[Path, ...]:
    """Return the real paths of the files that the commit has below a folder, which need not be readable.

    Raises:
        NoHistory: there is no Git, no repository, or no commit.
    """
    inside = path_in_repository(folder.parent, folder)
    with _git_errors(folder.parent):
        top = find_work_tree(folder.parent)
        listing = run_git(top, "ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD", "--", inside)
    return tuple(top / name for name in split_entries(listing))


def path_in_repository(folder: Path, file: Path) -> str:
    """Return a file's path relative to the top of the work tree that a folder is in.

    Raises:
        NoHistory: there is no repository, or the file is outside of it.
    """
    with _git_errors(folder):
        top = find_work_tree(folder)
    real = Path(os.path.realpath(file.parent)) / file.name
    if not real.is_relative_to(top):
        raise NoHistory("it is outside of the Git repository")
    return real.relative_to(top).as_posix()


def _is_shallow(folder: Path) -> bool:
    return run_git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"


def _read_history(folder: Path, paths: Sequence[str], *, is_shallow: bool) -> History:
    raw = ("-z", f"--format={_COMMIT}%H", "--raw", "--no-abbrev", "--no-renames")
    output = run_git(folder, *_LOG, *raw, *paths)
    return History(folder, is_shallow, tuple(_entries(os.fsdecode(output).split("\0"))))


def _entries(tokens: Iterable[str]) -> Iterator[_Entry]:
    commit = ""
    remaining = iter(tokens)
    for token in remaining:
        text = token.lstrip("\n")
        if text.startswith(_COMMIT):
            commit = text.removeprefix(_COMMIT)
        elif text.startswith(":"):
            _, mode, _, blob, _ = text.split(" ")
            path = next(remaining)
            if mode in _FILES:
                yield _Entry(commit, path, blob)


@contextmanager
def _git_errors(folder: Path) -> Iterator[None]:
    """Translate Git's errors."""
    try:
        yield
    except (GitUnavailable, ObjectMissing) as error:
        raise NoHistory(str(error), repository_exists=_repository_exists(folder)) from error
    except GitError as error:
        if _repository_exists(folder):
            raise NoHistory(
                f"Git cannot read the repository that {folder} is in: {error}", repository_exists=True
            ) from error
        raise NoHistory(f"{folder} is in no Git repository", repository_exists=False) from error


def _repository_exists(folder: Path) -> bool:
    """Tell without Git whether the folder is in a work tree."""
    try:
        find_work_tree(folder)
    except (GitError, OSError):
        return False
    return True
