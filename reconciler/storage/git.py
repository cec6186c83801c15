"""Runs Git.

Git is called as a program, without a shell, and with paths and revisions that it cannot take for
options.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SECONDS: Final = 120
"""How long one call may take; a status of a hundred thousand files takes a few seconds."""


class GitError(Exception):
    """Git cannot be run, or failed. The text is the first line of what it said."""


class GitUnavailable(GitError):
    """Git is not installed, cannot be run, or does not answer."""


class ObjectMissing(GitError):
    """The clone lacks an object; ``name`` is its hash."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the clone lacks the object {name}")
        self.name = name


def run_git(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run Git in a directory, without locks and in English; return its standard output.

    Raises:
        GitError: it cannot be run, takes too long, or fails.
    """
    git = shutil.which("git")
    if git is None:
        raise GitUnavailable("there is no `git` to be found")
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - no shell; what comes from outside is never an option
            [git, *arguments],
            cwd=directory,
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GitUnavailable(f"git took longer than {_SECONDS} seconds") from error
    except OSError as error:
        raise GitUnavailable(f"git cannot be run: {type(error).__name__}") from error
    except ValueError as error:
        raise GitError("an argument of git contains a null character") from error
    if done.returncode != 0:
        message = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise GitError(message or "git failed")
    return done.stdout


def split_entries(output: bytes) -> Iterator[str]:
    """Yield the entries of ``-z`` output, each ended by a null character; a path need not be UTF-8."""
    return iter(os.fsdecode(output).split("\0")[:-1])


def read_objects(directory: Path, names: Iterable[str]) -> list[bytes]:
    """Return the contents of objects, in their order.

    Raises:
        GitError: Git fails, or the clone lacks an object.
    """
    stdin = "".join(f"{name}\n" for name in names).encode()
    return list(_contents(run_git(directory, "cat-file", "--batch", stdin=stdin))) if stdin else []


def find_commit(directory: Path, revision: str) -> str | None:
    """Return the commit that a revision names, or None if Git knows no such revision."""
    try:
        name = run_git(
            directory, *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        )
    except GitUnavailable:
        raise
    except GitError:
        return None
    return os.fsdecode(name).strip()


def head_commit(directory: Path) -> str:
    """Return the commit that a folder is at; empty without a repository, a commit, or Git."""
    try:
        return find_commit(directory, "HEAD") or ""
    except GitUnavailable:
        return ""


def _contents(output: bytes) -> Iterator[bytes]:
    """Yield the contents that ``cat-file --batch`` prints, each after a line with its size."""
    start = 0
    while start < len(output):
        end = output.index(b"\n", start)
        name, _, size_text = output[start:end].rpartition(b" ")
        if size_text == b"missing":
            raise ObjectMissing(name.decode())
        size = int(size_text)
        yield output[end + 1 : end + 1 + size]
        start = end + 1 + size + 1
