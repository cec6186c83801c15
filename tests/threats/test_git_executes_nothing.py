"""Files of a pull request execute nothing through Git, and forge no history."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.workplace import okta

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.emulator import RunningEmulator
    from tests.support.workplace import Workplace

PROTECTED = """\
organization: acme
prune: true
connections:
  a: {issuer: "https://a.example.com", client_id: a}
  b: {issuer: "https://b.example.com", client_id: b, lifecycle: {prevent_destroy: true}}
"""
UNDECLARED = """\
organization: acme
prune: true
connections:
  a: {issuer: "https://a.example.com", client_id: a}
"""


class Clone:
    """A clone of a repository whose project is in ``sso``; ``canary`` is a script that leaves a trace."""

    def __init__(self, place: Workplace, folder: Path) -> None:
        self.place = place
        self.top = folder / "clone"
        self.sso = self.top / "sso"
        self.trace = folder / "executed"
        self.canary = folder / "canary"
        self.canary.write_text(f'#!/bin/sh\necho "$0 $@" >> {self.trace}\ncat "$1" 2>/dev/null || cat\n')
        self.canary.chmod(0o755)

    def git(self, *words: str, folder: Path | None = None) -> str:
        return self.place.git(*words, folder=folder or self.top)

    def write(self, name: str, text: str) -> None:
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self) -> None:
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")

    def config(self, *entries: str) -> None:
        """Configure the repository itself, as its holder may have done."""
        for entry in entries:
            self.git("config", *entry.split("=", 1))

    def forge(self, folder: Path) -> None:
        """Put a repository of the attacker's beside the project file, in which nothing ever differed."""
        bare = folder.parent / "forged"
        self.git("init", "--quiet", "--bare", "--initial-branch", "topic", str(bare), folder=folder)
        forged = (f"--git-dir={bare}", f"--work-tree={folder}")
        self.git(*forged, "add", "organizations", "reconciler.yaml", folder=folder)
        self.git(*forged, "commit", "--quiet", "--message", "forged", folder=folder)
        self.git(*forged, "branch", "main", folder=folder)
        with (bare / "config").open("a", encoding="utf-8") as config:
            config.write(hostile_config(self.canary))
        for name in ("objects", "refs"):
            shutil.copytree(bare / name, folder / name)
        for name in ("HEAD", "config", "index"):
            shutil.copy(bare / name, folder / name)
        (folder / "refs/keep").touch()
        shutil.rmtree(bare)

    def changed(self, *words: str) -> list[str]:
        """Return the organizations that validate selects, as the plan of the project would."""
        run = self.place.run("-C", str(self.sso), "validate", "--changed-since", "main", *words)
        os.chdir(self.place.root)
        assert run.code == 0, run.output
        return run.out.splitlines()

    def wrap_git(self, *lines: str) -> None:
        """Put a script before Git that may change its environment and arguments."""
        folder = self.trace.parent / "bin"
        folder.mkdir()
        script = "\n".join(["#!/bin/bash", *lines, f'exec {shutil.which("git")} "$@"', ""])
        (folder / "git").write_text(script, encoding="utf-8")
        (folder / "git").chmod(0o755)
        self.place.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def assert_nothing_ran(self) -> None:
        assert not self.trace.exists(), self.trace.read_text()


def hostile_config(canary: Path) -> str:
    """Return a configuration that runs the script wherever Git runs anything."""
    return f"""
[core]
    bare = false
    worktree = .
    fsmonitor = {canary}
    sshCommand = {canary}
    pager = {canary}
    editor = {canary}
    hooksPath = {canary.parent}/hooks
[diff]
    external = {canary}
[diff "canary"]
    textconv = {canary}
    command = {canary}
[filter "canary"]
    clean = {canary}
    smudge = {canary}
    process = {canary}
    required = true
[alias]
    rev-parse = !{canary}
    log = !{canary}
[gpg]
    program = {canary}
[log]
    showSignature = true
[credential]
    helper = !{canary}
"""


@pytest.fixture
def clone(bare: Workplace, tmp_path: Path) -> Clone:
    """A clone at a branch that changes one manifest of two."""
    origin = tmp_path / "origin"
    origin.mkdir()
    author = Clone(bare, tmp_path)
    author.top, author.sso = origin, origin / "sso"
    author.git("init", "--quiet", "--initial-branch", "main", folder=origin)
    author.write("sso/reconciler.yaml", "version: 1\n")
    for slug in ("acme", "globex"):
        author.write(f"sso/organizations/{slug}.yaml", f"organization: {slug}\n")
    author.commit()
    author.git("checkout", "--quiet", "-b", "topic")
    author.write("sso/organizations/acme.yaml", "organization: acme # changed\n")
    author.commit()
    bare.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return checked_out(bare, tmp_path)


def checked_out(place: Workplace, folder: Path) -> Clone:
    clone = Clone(place, folder)
    clone.git("clone", "--quiet", "--branch", "topic", str(folder / "origin"), str(clone.top), folder=folder)
    clone.git("branch", "main", "origin/main")
    return clone


@pytest.fixture
def attacked(clone: Clone, tmp_path: Path) -> Clone:
    """A pull request that adds a repository of its own below the top of the work tree."""
    clone.forge(clone.sso)
    clone.commit()
    clone.git("push", "--quiet", "--force", "origin", "HEAD:pull")
    clone.git("checkout", "--quiet", "--detach", folder=tmp_path / "origin")
    shutil.rmtree(clone.top)
    clone.git(
        "clone", "--quiet", "--branch", "pull", str(tmp_path / "origin"), str(clone.top), folder=tmp_path
    )
    clone.git("branch", "main", "origin/main")
    assert (clone.sso / "HEAD").is_file()
    clone.trace.unlink(missing_ok=True)
    return clone


def test_validate_looks_into_the_real_repository_and_runs_nothing(attacked: Clone) -> None:
    assert "1 file, 1 organization" in "\n".join(attacked.changed())
    attacked.assert_nothing_ran()


def test_the_forged_repository_would_run_commands(attacked: Clone) -> None:
    """Git itself, called in that folder without precautions, is taken in: the attack is one."""
    subprocess.run(
        ["git", "-c", "safe.bareRepository=all", "diff", "--raw", "main"],
        cwd=attacked.sso,
        capture_output=True,
        check=False,
    )
    assert attacked.trace.exists()


def test_in_the_folder_itself(attacked: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(attacked.sso)
    run = attacked.place.run("validate", "--changed-since", "main")
    assert "1 file, 1 organization" in run.out
    attacked.assert_nothing_ran()


def test_with_a_project_file_named_from_above(attacked: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(attacked.top)
    run = attacked.place.run("--config", "sso/reconciler.yaml", "validate", "--changed-since", "main")
    assert "1 file, 1 organization" in run.out
    attacked.assert_nothing_ran()


def test_in_a_repository_below_the_project_file(attacked: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """A submodule has a repository of its own, and whoever wrote it chose its revisions."""
    nested = attacked.sso / "nested"
    nested.mkdir()
    attacked.git("init", "--quiet", "--initial-branch", "main", folder=nested)
    attacked.git("commit", "--quiet", "--allow-empty", "--message", "x", folder=nested)
    monkeypatch.chdir(nested)
    run = attacked.place.run("--config", "../reconciler.yaml", "validate", "--changed-since", "main")
    assert "1 file, 1 organization" in run.out, run.output
    attacked.assert_nothing_ran()


def test_through_a_link_to_the_folder(attacked: Clone, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(attacked.sso)
    attacked.sso = link
    assert "1 file, 1 organization" in "\n".join(attacked.changed())
    attacked.assert_nothing_ran()


def test_an_older_git_that_knows_no_safe_bare_repository(attacked: Clone) -> None:
    """What protects does not rest on one setting that Git has since 2.38."""
    attacked.wrap_git(
        "words=()",
        'for word in "$@"; do words+=("${word/safe.bareRepository=explicit/safe.bareRepository=all}"); done',
        'set -- "${words[@]}"',
    )
    assert "1 file, 1 organization" in "\n".join(attacked.changed())
    attacked.assert_nothing_ran()


def test_without_any_real_repository_the_forged_one_is_none(attacked: Clone) -> None:
    shutil.rmtree(attacked.top / ".git")
    run = attacked.place.run("-C", str(attacked.sso), "validate", "--changed-since", "main")
    assert run.code == 1
    assert "not a git repository" in run.err
    attacked.assert_nothing_ran()


@pytest.fixture
def pruning(clone: Clone, running: RunningEmulator) -> Clone:
    """Git remembers that the undeclared connection was protected."""
    place = clone.place
    place.use(running)
    place.add_organization("acme")
    for name in ("a", "b"):
        place.emulator.add_connection("acme", **okta(name, client_id=name))
    clone.write("sso/reconciler.yaml", "limits: {requests_per_second: 500, max_delete_percent: 100}\n")
    (clone.sso / "organizations/globex.yaml").unlink()
    clone.write("sso/organizations/acme.yaml", PROTECTED)
    clone.commit()
    clone.write("sso/organizations/acme.yaml", UNDECLARED)
    clone.commit()
    clone.trace.unlink(missing_ok=True)
    return clone


def plan(clone: Clone) -> Any:
    run = clone.place.run("-C", str(clone.sso), "plan", "--format", "json")
    os.chdir(clone.place.root)
    return run.document


def assert_protected(document: Any) -> None:
    actions = [change["change"]["actions"] for change in document["resource_changes"]]
    assert ["delete"] not in actions
    assert any("prevent_destroy" in diagnostic["summary"] for diagnostic in document["diagnostics"])


def test_a_forged_history_does_not_take_the_protection_away(pruning: Clone) -> None:
    pruning.forge(pruning.sso)
    head = pruning.git("rev-parse", "HEAD")
    document = plan(pruning)
    assert_protected(document)
    assert head in str(document)
    pruning.assert_nothing_ran()


def test_a_plan_of_what_changed_runs_nothing(pruning: Clone) -> None:
    pruning.forge(pruning.sso)
    run = pruning.place.run("-C", str(pruning.sso), "plan", "--changed-since", "main", "--format", "json")
    assert_protected(run.document)
    pruning.assert_nothing_ran()


def test_a_textconv_named_by_attributes_is_not_run(pruning: Clone) -> None:
    pruning.config(f"diff.canary.textconv={pruning.canary}", f"diff.canary.command={pruning.canary}")
    pruning.write(".gitattributes", "*.yaml diff=canary\n")
    pruning.commit()
    pruning.trace.unlink(missing_ok=True)
    assert_protected(plan(pruning))
    pruning.assert_nothing_ran()


@pytest.mark.parametrize("kind", ["clean", "process"])
@pytest.mark.parametrize("driver", ["canary", "a.b"])
def test_a_filter_named_by_attributes_is_not_run(clone: Clone, kind: str, driver: str) -> None:
    clone.config(f"filter.{driver}.{kind}={clone.canary}", f"filter.{driver}.required=true")
    clone.write("sso/.gitattributes", f"*.yaml filter={driver}\n")
    for manifest in clone.sso.glob("organizations/*.yaml"):
        manifest.write_text(f"{manifest.read_text()}# touched\n")
    assert "2 files, 2 organizations" in "\n".join(clone.changed())
    clone.assert_nothing_ran()


def test_a_filter_that_cannot_be_turned_off_is_an_error(clone: Clone) -> None:
    with (clone.top / ".git/config").open("a", encoding="utf-8") as config:
        config.write(f'[filter "a=b"]\nclean = {clone.canary}\n')
    clone.write("sso/.gitattributes", "*.yaml filter=a=b\n")
    run = clone.place.run("-C", str(clone.sso), "validate", "--changed-since", "main")
    assert run.code == 1
    assert "the configured 'filter.a=b' cannot be turned off; rename it" in run.err
    clone.assert_nothing_ran()


@pytest.mark.parametrize(
    "entry",
    [
        "core.fsmonitor=CANARY",
        "core.hooksPath=FOLDER/hooks",
        "core.pager=CANARY",
        "diff.external=CANARY",
        "core.sshCommand=CANARY",
        "gpg.program=CANARY",
        "alias.diff=!CANARY",
    ],
)
def test_what_the_repository_is_configured_to_run_is_not_run(clone: Clone, entry: str) -> None:
    hooks = clone.trace.parent / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(clone.canary, hooks / hook)
    clone.config(
        entry.replace("CANARY", str(clone.canary)).replace("FOLDER", str(hooks.parent)),
        "log.showSignature=true",
    )
    clone.write("sso/organizations/acme.yaml", "organization: acme # touched\n")
    assert "1 file, 1 organization" in "\n".join(clone.changed())
    clone.assert_nothing_ran()


@pytest.mark.parametrize(
    "name", ["GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EDITOR"]
)
def test_programs_of_the_environment_are_not_run(clone: Clone, name: str) -> None:
    clone.place.setenv(name, str(clone.canary))
    assert "1 file, 1 organization" in "\n".join(clone.changed())
    clone.assert_nothing_ran()


@pytest.mark.parametrize(
    "names",
    [
        ("GIT_DIR",),
        ("GIT_DIR", "GIT_WORK_TREE"),
        ("GIT_COMMON_DIR",),
        ("GIT_OBJECT_DIRECTORY",),
        ("GIT_INDEX_FILE",),
        ("GIT_NAMESPACE",),
    ],
    ids="+".join,
)
def test_the_environment_does_not_lead_to_another_repository(attacked: Clone, names: tuple[str, ...]) -> None:
    for name in names:
        attacked.place.setenv(name, str(attacked.sso / ("index" if name == "GIT_INDEX_FILE" else "")))
    attacked.write("sso/organizations/globex.yaml", "organization: globex # touched\n")
    assert "2 files, 2 organizations" in "\n".join(attacked.changed())
    attacked.assert_nothing_ran()


def test_replaced_objects_do_not_count(pruning: Clone) -> None:
    """A branch that is fetched into refs/replace would stand in for what was reviewed."""
    protected, undeclared = (
        pruning.git("rev-parse", f"{revision}:sso/organizations/acme.yaml") for revision in ("HEAD~1", "HEAD")
    )
    pruning.git("replace", protected, undeclared)
    assert_protected(plan(pruning))


def test_a_program_called_git_in_the_work_tree_is_not_run(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(clone.canary, clone.sso / "git")
    shutil.copy(clone.canary, clone.top / "git")
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert "1 file, 1 organization" in "\n".join(clone.changed())
    clone.assert_nothing_ran()


def test_a_missing_object_is_not_fetched(clone: Clone) -> None:
    """A clone without all objects fetches them by what it is configured to run."""
    blob = clone.git("rev-parse", "main:sso/organizations/acme.yaml")
    clone.config(
        "core.repositoryFormatVersion=1",
        "extensions.partialClone=origin",
        "remote.origin.promisor=true",
        "remote.origin.url=ssh://nobody@127.0.0.1/x",
        f"core.sshCommand={clone.canary}",
    )
    (clone.top / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    run = clone.place.run("-C", str(clone.sso), "validate", "--changed-since", "main")
    assert run.code == 1
    assert "lacks" in run.err
    clone.assert_nothing_ran()


def test_a_repository_of_another_user_is_refused_in_words(clone: Clone) -> None:
    clone.wrap_git("export GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
    run = clone.place.run("-C", str(clone.sso), "validate", "--changed-since", "main")
    assert run.code == 1
    assert "dubious ownership" in run.err


def test_a_linked_work_tree_counts_as_itself(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    clone.sso = tmp_path / "linked/sso"
    (clone.sso / "organizations/globex.yaml").write_text("organization: globex # touched\n")
    assert "2 files, 2 organizations" in "\n".join(clone.changed())


@pytest.mark.parametrize(
    "key", ["include.path", "includeIf.gitdir:**/.git.path", "includeIf.onbranch:**.path"]
)
def test_what_an_included_file_of_the_work_tree_configures_is_not_run(clone: Clone, key: str) -> None:
    """Threats 1: who includes a file of the work tree leaves its settings to pull requests."""
    clone.config(f"{key}={clone.top}/.gitconfig")
    clone.write(
        ".gitconfig",
        f"[core]\nfsmonitor = {clone.canary}\nsshCommand = {clone.canary}\n"
        f'[filter "x"]\nclean = {clone.canary}\nrequired = true\n'
        f'[diff]\nexternal = {clone.canary}\n[diff "x"]\ntextconv = {clone.canary}\n',
    )
    clone.write("sso/.gitattributes", "*.yaml filter=x diff=x\n")
    clone.write("sso/organizations/acme.yaml", "organization: acme # touched\n")
    assert "1 file, 1 organization" in "\n".join(clone.changed())
    clone.assert_nothing_ran()
    with suppress(subprocess.CalledProcessError):
        clone.git("diff", "main")
    assert clone.trace.exists()  # Git itself does run it


def test_a_clone_that_borrows_its_objects_is_compared(clone: Clone, tmp_path: Path) -> None:
    """Threats 1: `git clone --shared` reads another repository's objects, and runs nothing of it."""
    clone.config(f"core.fsmonitor={clone.canary}")
    clone.git("clone", "--quiet", "--shared", str(clone.top), str(tmp_path / "borrower"))
    clone.git("branch", "--quiet", "main", "origin/main", folder=tmp_path / "borrower")
    clone.sso = tmp_path / "borrower/sso"
    clone.trace.unlink(missing_ok=True)
    (clone.sso / "organizations/globex.yaml").write_text("organization: globex # touched\n")
    assert "2 files, 2 organizations" in "\n".join(clone.changed())
    clone.assert_nothing_ran()
