"""Runs Git, offline and so that no file of a work tree or of its configuration is executed.

Git is called as a program, without a shell, and with paths and revisions that it cannot take for
options. The repository is the one whose ``.git`` is nearest above a folder, as no checkout can write a
``.git``: a repository that was committed as plain files (``HEAD``, ``config``, ``objects``) is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SECONDS: Final = 120
"""How long one call may take; a status of a hundred thousand files takes a few seconds."""

_SETTINGS: Final = (
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.sshCommand=false",
    "credential.helper=",
    "log.showSignature=false",
    "protocol.allow=never",
)
_PRECAUTIONS: Final = (
    "--no-pager",
    "--no-replace-objects",
    *(word for setting in _SETTINGS for word in ("-c", setting)),
)
_ENVIRONMENT: Final = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_CONFIGURATION: Final = "GIT_CONFIG_"
"""Variables that configure Git are kept; the others lead it elsewhere, or name programs to run."""


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
    """Run Git at the top of the work tree that a folder is in; return its standard output.

    Raises:
        GitError: it cannot be run, takes too long, or fails, or there is no work tree.
    """
    git = shutil.which("git", path=_absolute_search_path())
    if git is None:
        raise GitUnavailable("there is no `git` to be found")
    try:
        top = find_work_tree(directory)
        done = subprocess.run(  # noqa: S603 - no shell; what comes from outside is never an option
            [git, *_PRECAUTIONS, *arguments],
            cwd=top,
            env=_environment(top),
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
        raise GitError(_error_message(done.stderr))
    return done.stdout


def find_work_tree(directory: Path) -> Path:
    """Return the nearest folder from ``directory`` upwards that has a ``.git``, links followed.

    Raises:
        GitError: there is none.
        OSError: the folder does not exist.
    """
    start = directory.resolve(strict=True)
    ceilings = os.environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
    limits = {Path(ceiling).resolve() for ceiling in ceilings if ceiling}
    for folder in (start, *start.parents):
        if folder != start and folder in limits:
            break
        if os.path.lexists(folder / ".git"):
            return folder
    raise GitError("not a git repository (or any of the parent directories): .git")


def filters_off(directory: Path) -> tuple[str, ...]:
    """Return options that turn off the filter programs which attributes of a work tree may name.

    Raises:
        GitError: Git fails, or a filter cannot be turned off.
    """
    keys = split_entries(run_git(directory, "config", "--list", "-z", "--name-only"))
    drivers = sorted({key.rpartition(".")[0] for key in keys if key.startswith("filter.")})
    for driver in drivers:
        if "=" in driver:
            raise GitError(f"the configured {driver!r} cannot be turned off; rename it")
    settings = ("clean=", "process=", "required=false")
    return tuple(word for driver in drivers for setting in settings for word in ("-c", f"{driver}.{setting}"))


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


def _absolute_search_path() -> str:
    """Return PATH without its relative entries: a work tree may hold a program called ``git``."""
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if Path(entry).is_absolute())


def _environment(top: Path) -> Mapping[str, str]:
    """Return the environment of Git, which looks for a repository in this folder and in no other."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_CONFIGURATION)
    }
    return {**inherited, **_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(top.parent)}


def _error_message(stderr: bytes) -> str:
    message = stderr.decode(errors="replace").strip().partition("\n")[0]
    if "transport" in message and "not allowed" in message:
        return "the clone lacks objects that only its remote has; fetch it without --filter"
    return message or "git failed"
