"""Finds files of a work tree that differ from a Git revision, and reads their earlier content."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UsageError
from reconciler.storage.git import (
    GitError,
    GitUnavailable,
    ObjectMissing,
    filters_off,
    find_commit,
    find_work_tree,
    read_objects,
    run_git,
    split_entries,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


_LINK: Final = "120000"
_SUBMODULE: Final = "160000"


@dataclass(frozen=True, slots=True)
class ChangedPath:
    """A file that differs from the revision, or may: a symbolic link can lead anywhere.

    ``path`` is relative to the top of the work tree; ``blob`` names what the file held at the
    revision. It is empty where there was no such file, or none that is kept here.
    """

    path: str
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """A work tree, and the commit that it is compared with."""

    top: Path
    commit: str

    def relative(self, path: Path) -> str:
        """Return a real path relative to the top, which itself is empty.

        Raises:
            UsageError: it is outside of the work tree.
        """
        try:
            relative = path.relative_to(self.top).as_posix()
        except ValueError as error:
            raise UsageError(
                f"--changed-since cannot tell whether {path} has changed: it is outside of the Git "
                f"repository in {self.top}; leave the option out"
            ) from error
        return "" if relative == "." else relative

    def changed_paths(self, places: Iterable[str]) -> tuple[ChangedPath, ...]:
        """Return what differs in files and folders named relative to the top, sorted by path.

        The work tree counts as it is: staged or not, added or not, ignored or not.

        Raises:
            UsageError: one of the places holds a submodule, or Git fails.
        """
        limits = [f":(top,literal){place}" for place in places]
        with _git_errors(self.top):
            changed = {path: ChangedPath(path) for path in self._uncommitted_or_linked(limits)}
            for path, blob in self._differing(limits):
                changed[path] = ChangedPath(path, blob)
        return tuple(changed[path] for path in sorted(changed))

    def contents(self, files: Sequence[ChangedPath]) -> Mapping[str, bytes]:
        """Return, by path, what the files held that were there at the revision.

        Raises:
            UsageError: Git fails.
        """
        existing = [file for file in files if file.blob]
        with _git_errors(self.top):
            contents = read_objects(self.top, [file.blob for file in existing])
        return dict(zip((file.path for file in existing), contents, strict=True))

    def _uncommitted_or_linked(self, limits: Sequence[str]) -> Iterator[str]:
        """Yield files that Git does not track, and links that it does."""
        listed = run_git(self.top, "ls-files", "-z", "--cached", "--others", "--stage", "--", *limits)
        for entry in split_entries(listed):
            facts, tab, path = entry.partition("\t")
            mode = facts.partition(" ")[0]
            if not tab:
                yield entry
            elif mode == _LINK:
                yield path
            elif mode == _SUBMODULE:
                raise UsageError(
                    f"--changed-since cannot look into {path}: it is a submodule, whose history is kept "
                    "elsewhere; leave the option out"
                )

    def _differing(self, limits: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield path and former blob of the tracked files that differ, deleted ones included."""
        listed = run_git(
            self.top,
            *filters_off(self.top),
            *("diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-relative"),
            *("--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"),
            *(self.commit, "--", *limits),
        )
        entries = split_entries(listed)
        for facts in entries:
            mode, _, blob, *_ = facts.removeprefix(":").split(" ")
            is_file = mode != _LINK and blob.strip("0")
            yield next(entries), blob if is_file else ""


def find_revision(directory: Path, name: str) -> Revision:
    """Return the last commit that HEAD and the named revision have in common.

    Raises:
        UsageError: there is no Git, no repository, no such revision, or nothing in common.
    """
    with _git_errors(directory):
        top, is_shallow = _work_tree(directory)
        commit = find_commit(top, name)
        head = find_commit(top, "HEAD")
    if commit is None:
        raise UsageError(f"--changed-since: Git knows no revision {name!r}; {_advice(is_shallow=is_shallow)}")
    if head is None:
        raise UsageError("--changed-since: there is no commit yet to compare with")
    try:
        base = run_git(top, "merge-base", commit, "HEAD")
    except GitError as error:
        raise UsageError(
            f"--changed-since: HEAD and {name!r} have no commit in common; {_advice(is_shallow=is_shallow)}"
        ) from error
    return Revision(top, os.fsdecode(base).strip())


def _work_tree(directory: Path) -> tuple[Path, bool]:
    output = run_git(directory, "rev-parse", "--show-toplevel", "--is-shallow-repository")
    top, is_shallow = os.fsdecode(output).rstrip("\n").rsplit("\n", 1)
    return Path(top), is_shallow == "true"


def _advice(*, is_shallow: bool) -> str:
    if is_shallow:
        return "the clone is shallow: fetch the whole history (in actions/checkout: `fetch-depth: 0`)"
    return "fetch it, or name another one"


@contextmanager
def _git_errors(directory: Path) -> Iterator[None]:
    """Translate Git's errors."""
    try:
        yield
    except GitUnavailable as error:
        raise UsageError(f"--changed-since needs Git: {error}") from error
    except ObjectMissing as error:
        raise UsageError(f"--changed-since: {error}: fetch it whole") from error
    except GitError as error:
        raise UsageError(f"--changed-since needs a Git repository in {directory}: {error}") from error


_ATTRIBUTES: Final = ("working-tree-encoding", "filter")
_NO_VALUE: Final = frozenset({"unspecified", "unset"})


@dataclass(frozen=True, slots=True)
class ChangedBytes:
    """An attribute by which Git changes the bytes of a file when it is checked out."""

    file: str
    attribute: str
    value: str


def find_changed_bytes(directory: Path, files: Iterable[str]) -> tuple[ChangedBytes, ...]:
    """Return the attributes of these files that change their bytes; none without Git or a work tree."""
    try:
        top = find_work_tree(directory)
        names = _names_below(top, files)
        output = (
            run_git(top, "check-attr", "-z", "--stdin", *_ATTRIBUTES, stdin=_lines(names)) if names else b""
        )
    except (GitError, OSError):
        return ()
    entries = list(split_entries(output))
    return tuple(
        ChangedBytes(names[name], attribute, value)
        for name, attribute, value in zip(entries[0::3], entries[1::3], entries[2::3], strict=True)
        if value not in _NO_VALUE
    )


def _names_below(top: Path, files: Iterable[str]) -> Mapping[str, str]:
    """Return the files below the top of the work tree, by their path from there."""
    real = {file: Path(os.path.realpath(file)) for file in files}
    return {path.relative_to(top).as_posix(): file for file, path in real.items() if path.is_relative_to(top)}


def _lines(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)
