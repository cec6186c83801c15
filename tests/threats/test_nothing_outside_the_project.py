"""Nothing outside the project is read or shown, whatever links and globs a pull request adds."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.threats.conftest import CANARY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workplace import CompletedRun, Workplace

KUBECONFIG = (
    f"apiVersion: v1\norganization: {CANARY}\nusers: [{{name: admin, token: {CANARY}}}]\n{CANARY}: [\n"
)
FORMATS = ("text", "json", "markdown", "html", "github", "sarif")


@pytest.fixture
def outside(place: Workplace, tmp_path: Path) -> Path:
    """A file beside the clone, and a pull request checked out into a real one."""
    place.git("init", "--quiet", "--initial-branch", "main")
    place.commit()
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "config.yaml").write_text(KUBECONFIG, encoding="utf-8")
    return folder


def checked_out(place: Workplace, tmp_path: Path) -> None:
    """Commit what the pull request adds, and work in a fresh clone of it."""
    place.git("checkout", "--quiet", "-b", "topic")
    place.commit()
    shutil.move(place.root, tmp_path / "origin")
    place.git("clone", "--quiet", str(tmp_path / "origin"), str(place.root), folder=tmp_path)
    os.chdir(place.root)
    place.git("branch", "main", "origin/main")


def runs(place: Workplace, *words: str) -> list[CompletedRun]:
    return [
        place.run(verb, "--format", format_, *words) for verb in ("validate", "plan") for format_ in FORMATS
    ]


def assert_refused(place: Workplace, tmp_path: Path, code: str, *words: str) -> None:
    checked_out(place, tmp_path)
    for run in runs(place, *words):
        assert run.code == 1
        assert CANARY not in run.output
    assert code in place.run("validate", "--format", "json", *words).codes


@pytest.mark.parametrize(
    "glob",
    ["../out/*.yaml", "../../../**", "../../../**/*.yaml", "organizations/../../out/*.yaml",
     "{../out,a}/*.yaml", "*/../../out/*.yaml", "{/etc,a}/*.yaml", "/etc/*.yaml", ".."],
)  # fmt: skip
def test_globs_stay_below_the_project(
    place: Workplace, outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, glob: str
) -> None:
    place.write("reconciler.yaml", f"organizations: ['{glob}']\n")
    listed: list[str] = []
    look = os.scandir

    def scandir(folder: str) -> object:
        listed.append(os.path.realpath(folder))
        return look(folder)

    monkeypatch.setattr("reconciler.manifests.globs.os.scandir", scandir)
    assert_refused(place, tmp_path, "invalid-glob")
    assert all(folder.startswith(str(place.root)) for folder in listed)


@pytest.mark.parametrize(
    "words", [(), ("organizations",), ("organizations/evil.yaml",), ("--changed-since", "main")]
)
@pytest.mark.parametrize(
    "target", ["../../out/config.yaml", "OUT/config.yaml", "../kept/acme.txt", "../.env"]
)
def test_a_linked_manifest_is_not_read(
    place: Workplace, outside: Path, tmp_path: Path, words: tuple[str, ...], target: str
) -> None:
    """Nor where the link leads to a file of the project that is no manifest."""
    place.write("kept/acme.txt", KUBECONFIG)
    place.write(".env", KUBECONFIG)
    (place.root / "organizations/evil.yaml").symlink_to(target.replace("OUT", str(outside)))
    assert_refused(place, tmp_path, "linked-manifest", *words)


def test_a_chain_of_links_is_followed_to_its_end(place: Workplace, outside: Path, tmp_path: Path) -> None:
    (place.root / "organizations/one.yaml").symlink_to("two.yaml")
    (place.root / "organizations/two.yaml").symlink_to(outside / "config.yaml")
    assert_refused(place, tmp_path, "linked-manifest")


@pytest.mark.parametrize(
    "glob", ["organizations/*/*.yaml", "organizations/evil/*.yaml", "organizations/*/config.yaml"]
)
@pytest.mark.parametrize("words", [(), ("--changed-since", "main")])
def test_a_linked_folder_is_not_entered(
    place: Workplace, outside: Path, tmp_path: Path, glob: str, words: tuple[str, ...]
) -> None:
    place.write("reconciler.yaml", f"organizations: ['{glob}']\n")
    (place.root / "organizations/evil").symlink_to(outside)
    checked_out(place, tmp_path)
    for run in runs(place, *words):
        assert run.code == 1
        assert CANARY not in run.output


def test_the_folder_of_all_manifests_is_not_a_link_either(
    place: Workplace, outside: Path, tmp_path: Path
) -> None:
    shutil.rmtree(place.root / "organizations")
    (place.root / "organizations").symlink_to(outside)
    checked_out(place, tmp_path)
    for words in ((), ("organizations",), ("organizations/config.yaml",), ("--changed-since", "main")):
        for run in runs(place, *words):
            assert run.code == 1, words
            assert CANARY not in run.output


@pytest.mark.parametrize("target", ["../out/config.yaml", "kept.yaml", ".env"])
@pytest.mark.parametrize("words", [(), ("--config", "reconciler.yaml")])
def test_the_project_file_is_no_link(
    place: Workplace, outside: Path, tmp_path: Path, target: str, words: tuple[str, ...]
) -> None:
    place.write("kept.yaml", KUBECONFIG)
    place.write(".env", KUBECONFIG)
    (place.root / "reconciler.yaml").symlink_to(target)
    checked_out(place, tmp_path)
    for verb in ("validate", "plan", "drift", "apply"):
        run = place.run(*words, verb, "--format", "json")
        assert run.codes == ["linked-project-file"]
        assert CANARY not in run.output


def test_a_link_to_a_manifest_of_the_project_is_that_manifest(place: Workplace, tmp_path: Path) -> None:
    (place.root / "organizations/again.yaml").symlink_to("acme.yaml")
    assert "1 file, 1 organization" in place.run("validate").out
    assert place.run("validate", "organizations/again.yaml").code == 0


def test_a_project_below_a_link_is_the_users_own(
    place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(place.root)
    assert place.run("-C", str(tmp_path / "link"), "validate").code == 0
    os.chdir(place.root)
    assert place.run("validate", str(tmp_path / "link/organizations")).code == 0


def test_paths_of_the_command_line_may_lead_elsewhere(place: Workplace, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/globex.yaml").write_text("organization: globex\n")
    assert place.run("validate", "../elsewhere").code == 0
    assert place.run("validate", str(tmp_path / "elsewhere/globex.yaml")).code == 0


@pytest.mark.parametrize(
    "attribute", ["working-tree-encoding=UTF-16", "filter=lfs", "filter=git-crypt diff=git-crypt"]
)
@pytest.mark.parametrize("words", [(), ("organizations/acme.yaml",), ("--changed-since", "main")])
def test_attributes_that_change_the_bytes_of_a_manifest_are_told(
    place: Workplace, outside: Path, tmp_path: Path, attribute: str, words: tuple[str, ...]
) -> None:
    """A reviewer sees other bytes than those that are read."""
    place.write(".gitattributes", f"organizations/acme.yaml {attribute}\n")
    place.write("organizations/globex.yaml", "organization: globex\n")
    place.write("organizations/acme.yaml", "organization: acme\n")
    run = place.run("validate", "--format", "json", *words)
    assert run.code == 0, run.output
    (warning,) = (item for item in run.document["diagnostics"] if item["code"] == "manifest-attributes")
    assert warning["severity"] == "warning"
    assert warning["range"]["filename"] == "organizations/acme.yaml"
    assert attribute.split(maxsplit=1)[0] in warning["summary"]


@pytest.mark.parametrize("attributes", ["*.yaml text eol=lf\n", "*.txt filter=lfs\n", "*.yaml -filter\n", ""])
def test_harmless_attributes_are_not_told(place: Workplace, outside: Path, attributes: str) -> None:
    place.write(".gitattributes", attributes)
    assert place.run("validate", "--format", "json").codes == []


@pytest.mark.parametrize("name", ["approvals/evil.yaml", "approvals"])
def test_approvals_are_confined_as_well(place: Workplace, outside: Path, tmp_path: Path, name: str) -> None:
    (place.root / "approvals").mkdir()
    if name == "approvals":
        (place.root / "approvals").rmdir()
    (place.root / name).symlink_to(outside if name == "approvals" else outside / "config.yaml")
    assert_refused(place, tmp_path, "linked-manifest")
