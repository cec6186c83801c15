"""What Git remembers of a repository's YAML files: every version that was ever on this branch."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from reconciler.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SECONDS: Final = 120
_COMMIT: Final = "\x01"
_FILES: Final = frozenset({"100644", "100755"})
_YAML: Final = ("*.yaml", "*.yml")


class NoHistory(Exception):
    """Git cannot be asked; the text says why. ``is_kept``: there is a repository all the same."""

    def __init__(self, message: str, *, is_kept: bool = True) -> None:
        super().__init__(message)
        self.is_kept = is_kept


@dataclass(frozen=True, slots=True)
class Version:
    """What a file held since a commit. ``path`` is relative to the top of the work tree."""

    commit: str
    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class History:
    """The versions of the YAML files of a repository. ``is_cut_off``: the clone is shallow."""

    folder: Path
    is_cut_off: bool
    _entries: tuple[tuple[str, str, str], ...]

    def versions(self) -> Iterator[Version]:
        """Yield every version, the newest first; merged branches count as what their merge changed.

        Raises:
            NoHistory: Git fails.
        """
        with _objects(self.folder) as read:
            for commit, path, blob in self._entries:
                yield Version(commit, path, read(blob))


def open_history(folder: Path, words: str) -> History:
    """Return the history of all YAML files beside a folder, empty if none of them ever held ``words``.

    Raises:
        NoHistory: there is no Git, or no repository.
    """
    is_shallow = _run(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
    selection = ("--", *(f":(top,glob)**/{pattern}" for pattern in _YAML))
    mentions = _run(folder, "log", "--first-parent", "-m", "-1", "--format=%H", f"-S{words}", *selection)
    if not mentions.strip() and not is_shallow:
        return History(folder, is_shallow, ())
    listed = _run(
        folder,
        *(
            "log",
            "--first-parent",
            "-m",
            "-z",
            f"--format={_COMMIT}%H",
            "--raw",
            "--no-abbrev",
            "--no-renames",
        ),
        *("--no-ext-diff", *selection),
    )
    return History(folder, is_shallow, tuple(_entries(os.fsdecode(listed).split("\0"))))


def _entries(tokens: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield commit, path and blob of every file that a commit wrote."""
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
                yield commit, path, blob


@contextmanager
def _objects(folder: Path) -> Iterator[_Objects]:
    with _started(folder, "cat-file", "--batch") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield _Objects(process.stdin, process.stdout)
        process.stdin.close()


@dataclass(frozen=True, slots=True)
class _Objects:
    """Asks one running Git for the contents of blobs, one after the other."""

    questions: IO[bytes]
    answers: IO[bytes]

    def __call__(self, blob: str) -> bytes:
        self.questions.write(f"{blob}\n".encode())
        self.questions.flush()
        *_, size = self.answers.readline().split()
        if not size.isdigit():
            raise NoHistory(f"the clone lacks the object {blob}")
        content = self.answers.read(int(size))
        self.answers.read(1)
        return content


def _run(folder: Path, *words: str) -> bytes:
    with _started(folder, *words) as process:
        try:
            answer, _ = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"git took longer than {_SECONDS} seconds to go through its history") from error
    if process.returncode != 0:
        if _has_repository(folder):
            raise NoHistory(f"Git refuses to read the repository that {folder} is in")
        raise NoHistory(f"{folder} is in no Git repository", is_kept=False)
    return answer


def _has_repository(folder: Path) -> bool:
    """Tell without Git whether the folder is in a work tree."""
    real = folder.resolve()
    return "GIT_DIR" in os.environ or any((one / ".git").exists() for one in (real, *real.parents))


@contextmanager
def _started(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Git without locks, in its own language, and never longer than the block."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and no word comes from outside
            ["git", *words],  # noqa: S607 - the user's own Git
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        is_kept = _has_repository(folder)
        raise NoHistory("there is no `git` to be found", is_kept=is_kept) from error
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
