"""Git runs in one place, and its errors say what is wrong."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from reconciler.core.errors import UsageError
from reconciler.storage.git import GitError, GitUnavailable, head_commit, read_objects, run_git
from reconciler.storage.history import NoHistory, open_history
from reconciler.storage.revision import ChangedPath, find_revision

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    commit(tmp_path, "a: prevent_destroy\n")
    return tmp_path


def commit(folder: Path, text: str) -> None:
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    named = ("-c", "user.name=N", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false")
    for words in (("add", "-A"), ("commit", "-q", "-m", "x")):
        subprocess.run(["git", *named, *words], cwd=folder, check=True)


def test_contents_come_in_the_order_they_are_asked_for(repository: Path) -> None:
    names = []
    for text in ("", "\n", "x\n" * 1000):
        (repository / "text").write_text(text, encoding="utf-8")
        names.append(run_git(repository, "hash-object", "-w", "text").decode().strip())
    assert read_objects(repository, [names[2], names[0], names[1]]) == [b"x\n" * 1000, b"", b"\n"]
    assert read_objects(repository, []) == []


def test_an_object_that_is_missing_is_named(repository: Path) -> None:
    with pytest.raises(GitError, match=f"the clone lacks the object {'1' * 40}"):
        read_objects(repository, ["1" * 40])


def test_git_that_is_not_installed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert head_commit(repository) == ""
    with pytest.raises(GitUnavailable, match="there is no `git` to be found"):
        run_git(repository, "status")


def test_the_first_line_of_what_git_says_is_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitError, match="not a git repository"):
        run_git(tmp_path, "status")


def test_git_that_does_not_end(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository / "bin"
    folder.mkdir()
    (folder / "git").write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr("reconciler.storage.git._SECONDS", 0.2)
    with pytest.raises(GitUnavailable, match=r"git took longer than 0\.2 seconds"):
        run_git(repository, "status")
    with pytest.raises(UsageError, match="--changed-since needs Git: git took longer"):
        find_revision(repository, "HEAD")
    with pytest.raises(NoHistory, match="git took longer") as raised:
        open_history(repository, "x")
    assert raised.value.repository_exists


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(GitUnavailable, match="git cannot be run: FileNotFoundError"):
        run_git(tmp_path / "missing", "status")


def test_a_revision_with_a_null_character_is_unknown(repository: Path) -> None:
    with pytest.raises(UsageError, match="Git knows no revision"):
        find_revision(repository, "main\0--help")


def test_a_clone_that_lacks_what_a_revision_held(repository: Path) -> None:
    revision = find_revision(repository, "HEAD")
    with pytest.raises(UsageError, match=r"--changed-since: the clone lacks the object 1+: fetch it whole"):
        revision.contents([ChangedPath("a.yaml", "1" * 40)])


def test_versions_are_read_in_groups_from_the_newest_to_the_oldest(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.storage.history._VERSIONS_AT_ONCE", 2)
    for number in range(5):
        commit(repository, f"a: {number}\n")
    contents = [version.content for version in open_history(repository, "prevent_destroy").versions()]
    assert contents == [
        *(f"a: {number}\n".encode() for number in reversed(range(5))),
        b"a: prevent_destroy\n",
    ]


def test_a_history_that_never_held_the_text_is_empty(repository: Path) -> None:
    assert list(open_history(repository, "never").versions()) == []


def test_a_folder_outside_of_any_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NoHistory, match="is in no Git repository") as raised:
        open_history(tmp_path, "x")
    assert not raised.value.repository_exists


def test_a_repository_that_git_cannot_read_exists_all_the_same(repository: Path) -> None:
    (repository / ".git" / "HEAD").write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(NoHistory, match="Git cannot read the repository") as raised:
        open_history(repository, "x")
    assert raised.value.repository_exists
