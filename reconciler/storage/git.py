"""What Git remembers: which files of a work tree differ from a revision, and what they held there.

Git is asked as a program, with paths and revisions that can never be taken for options.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SECONDS: Final = 120
"""How long one call may take; even a status of a hundred thousand files takes a few."""

_LINK: Final = "120000"
_SUBMODULE: Final = "160000"


@dataclass(frozen=True, slots=True)
class Differing:
    """A file that differs from the revision, or may: a symbolic link leads who knows where.

    ``path`` is relative to the top of the work tree; ``blob`` names what the file held at the
    revision, and is empty where there was no such file, or none that is kept here.
    """

    path: str
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """A work tree, and the commit that it is compared with."""

    top: Path
    commit: str

    def differing(self, places: Iterable[str]) -> tuple[Differing, ...]:
        """Return what differs in files and folders named relative to the top, sorted by path.

        The work tree counts as it is: staged or not, added or not, ignored or not.

        Raises:
            UsageError: one of the places holds a submodule, or Git fails.
        """
        limits = [f":(top,literal){place}" for place in places]
        found = {path: Differing(path) for path in self._uncommitted_or_linked(limits)}
        for path, blob in self._changed(limits):
            found[path] = Differing(path, blob)
        return tuple(found[path] for path in sorted(found))

    def contents(self, files: Sequence[Differing]) -> Mapping[str, bytes]:
        """Return, by path, what the files held that were there at the revision.

        Raises:
            UsageError: Git fails.
        """
        known = [one for one in files if one.blob]
        if not known:
            return {}
        asked = "".join(f"{one.blob}\n" for one in known)
        answer = _run(self.top, "cat-file", "--batch", given=asked.encode())
        return dict(zip((one.path for one in known), _objects(answer), strict=True))

    def _uncommitted_or_linked(self, limits: Sequence[str]) -> Iterator[str]:
        """Yield files that Git does not track, and links that it does."""
        listed = _run(self.top, "ls-files", "-z", "--cached", "--others", "--stage", "--", *limits)
        for entry in _entries(listed):
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

    def _changed(self, limits: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield path and former blob of the tracked files that differ, deleted ones included."""
        listed = _run(
            self.top,
            *("diff", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-relative"),
            *(self.commit, "--", *limits),
        )
        entries = _entries(listed)
        for facts in entries:
            mode, _, blob, *_ = facts.removeprefix(":").split(" ")
            is_file = mode != _LINK and blob.strip("0")
            yield next(entries), blob if is_file else ""


def find_revision(directory: Path, name: str) -> Revision:
    """Return the last commit that HEAD and the named revision have in common.

    Raises:
        UsageError: there is no Git, no repository, no such revision, or nothing in common.
    """
    top, is_shallow = _work_tree(directory)
    theirs = _commit(top, name)
    if theirs is None:
        raise UsageError(f"--changed-since: Git knows no revision {name!r}; {_advice(is_shallow)}")
    if _commit(top, "HEAD") is None:
        raise UsageError("--changed-since: there is no commit yet to compare with")
    base = _answer(top, "merge-base", theirs, "HEAD")
    if base is None:
        raise UsageError(
            f"--changed-since: HEAD and {name!r} have no commit in common; {_advice(is_shallow)}"
        )
    return Revision(top, base)


def head_of(directory: Path) -> str:
    """Return the commit that a folder is at, or nothing where there is none, or no Git."""
    try:
        return _commit(directory, "HEAD") or ""
    except UsageError:
        return ""


def _advice(is_shallow: bool) -> str:
    if is_shallow:
        return "the clone is shallow: fetch the whole history (in actions/checkout: `fetch-depth: 0`)"
    return "fetch it, or name another one"


def _work_tree(directory: Path) -> tuple[Path, bool]:
    found = _run(directory, "rev-parse", "--show-toplevel", "--is-shallow-repository")
    top, is_shallow = os.fsdecode(found).rstrip("\n").rsplit("\n", 1)
    return Path(top), is_shallow == "true"


def _commit(top: Path, name: str) -> str | None:
    return _answer(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def _answer(top: Path, *words: str) -> str | None:
    """Return the only line of Git's answer; None where it answers by failing."""
    done = _call(top, words, b"")
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else None


def _run(directory: Path, *words: str, given: bytes = b"") -> bytes:
    done = _call(directory, words, given)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise UsageError(f"--changed-since needs a Git repository in {directory}: {said or 'git failed'}")
    return done.stdout


def _call(directory: Path, words: Sequence[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run Git, without locks and in its own language."""
    if any("\0" in word for word in words):
        raise UsageError("--changed-since: a revision cannot contain a null character")
    git = shutil.which("git")
    if git is None:
        raise UsageError("--changed-since needs Git, and there is no `git` to be found")
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        return subprocess.run(  # noqa: S603 - no shell; what comes from outside is never an option
            [git, *words],
            cwd=directory,
            env=environment,
            input=given,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--changed-since: git cannot be run: {type(error).__name__}") from error


def _entries(listed: bytes) -> Iterator[str]:
    """Yield what null characters end; a path need not be UTF-8."""
    return iter(os.fsdecode(listed).split("\0")[:-1])


def _objects(answer: bytes) -> Iterator[bytes]:
    """Yield the contents that ``cat-file --batch`` prints, each after a line with its size."""
    start = 0
    while start < len(answer):
        end = answer.index(b"\n", start)
        name, _, size_text = answer[start:end].rpartition(b" ")
        if size_text == b"missing":
            raise UsageError(f"--changed-since: the clone lacks the object {name.decode()}: fetch it whole")
        size = int(size_text)
        yield answer[end + 1 : end + 1 + size]
        start = end + 1 + size + 1
