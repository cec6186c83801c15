"""Which files hold the manifests."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import find_manifests, load_manifests, load_project, read_manifests
from reconciler.manifests.globs import expand_braces, split_glob, walk

if TYPE_CHECKING:
    from collections.abc import Iterable


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"organization: {path.replace('/', '-')}\n")


def found(folder: Path, *paths: str | Path) -> list[str]:
    manifests = find_manifests(paths, load_project(None, folder))
    assert manifests.diagnostics == ()
    return [str(file.relative_to(folder)) for file in manifests.files]


def test_the_default_is_every_yaml_file_in_organizations(tmp_path: Path) -> None:
    write(tmp_path, "organizations/b.yml", "organizations/a.yaml", "organizations/x/y/c.yaml", "other/d.yaml")
    write(tmp_path, "organizations/readme.md", "organizations/.hidden.yaml", "organizations/.git/e.yaml")
    assert found(tmp_path) == ["organizations/a.yaml", "organizations/b.yml", "organizations/x/y/c.yaml"]


def test_hidden_files_are_skipped_from_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ".hidden.yaml", ".git/a.yaml", "b.yaml")
    monkeypatch.chdir(tmp_path)
    assert find_manifests(["."], load_project(None, Path())).files == (Path("b.yaml"),)


def test_globs_may_have_choices(tmp_path: Path) -> None:
    write(tmp_path, "a/x.yaml", "b/x.yml", "c/x.yaml")
    (tmp_path / "reconciler.yaml").write_text("organizations: ['{a,b}/*.y{a,}ml', 'a/*.yaml']\n")
    assert found(tmp_path) == ["a/x.yaml", "b/x.yml"]


def test_choices_are_expanded_in_order() -> None:
    assert expand_braces("**/*.y{a,}ml") == ("**/*.yaml", "**/*.yml")
    assert expand_braces("{a,b}{c,d}") == ("ac", "ad", "bc", "bd")
    assert expand_braces("plain") == ("plain",)


@pytest.mark.parametrize("glob", ["a**b", "{/etc,b}/*.yaml", "{a,b}" * 40])
def test_an_invalid_glob_is_an_error(tmp_path: Path, glob: str) -> None:
    (tmp_path / "reconciler.yaml").write_text(f"organizations: ['{glob}']\n")
    found = find_manifests([], load_project(None, tmp_path))
    assert [(diagnostic.code, str(diagnostic.location)) for diagnostic in found.diagnostics] == [
        ("invalid-glob", "reconciler.yaml:1:1")
    ]


def test_the_project_file_is_not_a_manifest(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml")
    (tmp_path / "reconciler.yaml").write_text("organizations: ['*.yaml']\n")
    write(tmp_path, "another/reconciler.yaml")
    assert found(tmp_path) == ["a.yaml"]
    assert found(tmp_path, ".") == ["a.yaml"]


def test_files_and_folders_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, "a/x.yaml", "a/deep/y.yml", "b.yaml", "c.txt")
    assert found(tmp_path, "a", "b.yaml", "c.txt") == ["a/deep/y.yml", "a/x.yaml", "b.yaml", "c.txt"]


def test_a_file_with_several_names_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, "a/x.yaml")
    (tmp_path / "a/link.yaml").symlink_to(tmp_path / "a/x.yaml")
    os.link(tmp_path / "a/x.yaml", tmp_path / "a/hard.yaml")
    (tmp_path / "again").symlink_to(tmp_path / "a")
    assert len(found(tmp_path, "a", "a/x.yaml", "./a/../a/x.yaml", "again", tmp_path / "a/x.yaml")) == 1


def test_paths_that_do_not_exist_are_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "gone")
    long = find_manifests(["x" * 5000], load_project(None, tmp_path))
    assert [diagnostic.code for diagnostic in long.diagnostics] == ["no-such-path"]
    manifests = find_manifests(["missing", "broken.yaml"], load_project(None, tmp_path))
    assert [(diagnostic.code, diagnostic.summary) for diagnostic in manifests.diagnostics] == [
        ("no-such-path", "missing: no such file or folder"),
        ("no-such-path", "broken.yaml: broken link"),
    ]


@pytest.mark.parametrize("paths", [(), ("empty",)])
def test_no_manifests_is_an_error_that_names_what_was_searched(
    tmp_path: Path, paths: tuple[str, ...]
) -> None:
    (tmp_path / "empty").mkdir()
    diagnostics = load_manifests(paths, load_project(None, tmp_path), {}).diagnostics
    assert [diagnostic.code for diagnostic in diagnostics] == ["no-manifests"]
    assert all(diagnostic.is_error for diagnostic in diagnostics)
    assert ("empty" if paths else "organizations/**/*.yaml") in diagnostics[0].summary


def test_files_outside_the_working_directory_are_shown_as_given(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    write(tmp_path, "x.yaml")
    (tmp_path / "x.yaml").write_text("organization: 1\n")
    project = load_project(None, tmp_path / "work")
    for path, shown in (("../x.yaml", "../x.yaml"), (tmp_path / "x.yaml", str(tmp_path / "x.yaml"))):
        place = load_manifests([path], project, {}).diagnostics[0].location
        assert place is not None
        assert place.path == shown


def test_files_are_read_one_by_one(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml")
    (tmp_path / "b.yaml").write_text("organization: a.yaml\n")
    project = load_project(None, tmp_path)
    reading = read_manifests(find_manifests(["."], project).files, project, {})
    first = next(reading)
    assert (first.organizations[0].reference, first.diagnostics) == ("a.yaml", ())
    second = next(reading)
    assert [diagnostic.code for diagnostic in second.diagnostics] == ["duplicate-organization"]
    assert second.display_path == "b.yaml"


def test_loading_imports_no_network_or_terminal_library() -> None:
    program = "import sys, reconciler.manifests; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "yaml" in loaded
    assert not loaded & {
        "httpx",
        "aiohttp",
        "rich",
        "click",
        "deepdiff",
        "jinja2",
        "structlog",
        "asyncio",
        "ruamel.yaml",
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders, files, links in a circle and to nowhere, and names that look like globs."""
    root = tmp_path_factory.mktemp("tree")
    write(root, "a.yaml", "b.yml", "a/a.yaml", "a/a/a.yaml", "a/b/c/a.yaml", "b/a/b.yaml", "c d/[x].yaml")
    write(root, "b/a.yaml/c.yml")
    (root / "a/up").symlink_to(root)
    (root / "c d/gone.yaml").symlink_to(root / "gone")
    (root / "link.yaml").symlink_to(root / "a.yaml")
    return root


def test_circular_links_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, "organizations/a/x.yaml")
    (tmp_path / "organizations/loop").symlink_to("loop")
    globs = ["organizations/*/*.yaml", "organizations/loop/*"]
    (tmp_path / "reconciler.yaml").write_text(f"organizations: {globs}\n")
    assert found(tmp_path) == ["organizations/a/x.yaml"]


@pytest.mark.parametrize("paths", [(), ("organizations",)])
def test_a_folder_that_cannot_be_read_is_an_error(
    tmp_path: Path, paths: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "organizations/a.yaml", "organizations/sub/b.yaml")
    look = os.scandir

    def scandir(folder: str) -> object:
        if folder.endswith("sub"):
            raise OSError(errno.EIO, "Input/output error", folder)
        return look(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    loaded = load_manifests(paths, load_project(None, tmp_path), {})
    assert loaded.has_errors
    (finding,) = loaded.diagnostics
    assert (finding.code, finding.summary) == (
        "unreadable-folder",
        "cannot list organizations/sub: input/output error",
    )


STEPS = st.sampled_from(
    ["**", "a", "b", "*", "*.yaml", "?", "[ab]", "c d", "up", "a*", "[[]x].yaml", "gone", "a.yaml"]
)
LAST = st.sampled_from(["*.yaml", "a.yaml", "*", "[[]x].yaml", "*.y*ml", "gone.yaml"])


@given(st.lists(STEPS, max_size=4), LAST)
def test_globs_match_what_pathlib_matches(tree: Path, steps: list[str], last: str) -> None:
    """But for links that lead nowhere, in which the versions of Python differ."""
    glob = "/".join([*steps, last])
    assert existing(walk(str(tree), split_glob(glob))) == existing(map(str, tree.glob(glob)))


def existing(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if Path(path).exists()}


def test_a_broken_link_is_reported_for_any_glob(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    for glob in ("gone.yaml", "*.yaml", "**/gone.yaml"):
        (tmp_path / "reconciler.yaml").write_text(f"organizations: ['{glob}']\n")
        loaded = load_manifests((), load_project(None, tmp_path), {})
        assert [(diagnostic.code, diagnostic.summary) for diagnostic in loaded.diagnostics] == [
            ("unreadable-file", "cannot read gone.yaml: no such file")
        ]


def test_hidden_folders_are_skipped(tmp_path: Path) -> None:
    write(tmp_path, "a/.git/x.yaml", ".x.yaml", "a/x.yaml")
    assert [*walk(str(tmp_path), ("**", "*.yaml"))] == [str(tmp_path / "a/x.yaml")]


def test_a_glob_may_repeat_a_name(tmp_path: Path) -> None:
    write(tmp_path, "a/a/x.yaml", "a/x.yaml")
    (tmp_path / "reconciler.yaml").write_text("organizations: ['a/a/*.yaml']\n")
    assert found(tmp_path) == ["a/a/x.yaml"]
