"""Which secrets may be asked for."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reconciler.core.secret import Locator
from reconciler.secrets import OWN_VARIABLES, SecretPolicy, parse_reference


def env(name: str) -> Locator:
    return Locator("env", name)


def file(path: str | Path) -> Locator:
    return Locator("file", str(path))


@pytest.mark.parametrize("name", sorted(OWN_VARIABLES))
def test_the_tools_own_credentials_are_refused_whatever_is_allowed(tmp_path: Path, name: str) -> None:
    refusal = SecretPolicy(root=tmp_path, env_allow=("*", name)).check(env(name))
    assert refusal is not None
    assert name in refusal


@pytest.mark.parametrize("name", ["", "A-B", "1A", "A B", "A\n", "É", "A=B"])
def test_what_cannot_name_a_variable_is_refused(tmp_path: Path, name: str) -> None:
    assert SecretPolicy(root=tmp_path).check(env(name))


def test_globs_limit_the_variables_exactly(tmp_path: Path) -> None:
    policy = SecretPolicy(root=tmp_path, env_allow=("*_CLIENT_SECRET", "EXTRA"))
    assert policy.check(env("ACME_CLIENT_SECRET")) is None
    assert policy.check(env("EXTRA")) is None
    assert policy.check(env("acme_client_secret"))
    assert policy.check(env("ACME_CLIENT_SECRET_OLD"))
    assert SecretPolicy(root=tmp_path, env_allow=()).check(env("ANY"))


def test_files_below_the_project_are_allowed(tmp_path: Path) -> None:
    policy = SecretPolicy(root=tmp_path)
    assert policy.check(file("secrets/okta")) is None
    assert policy.check(file("a/../b")) is None
    assert policy.check(file(tmp_path / "b")) is None


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "/etc/passwd", "/proc/self/environ", "a\0b"])
def test_files_outside_the_project_are_refused(tmp_path: Path, path: str) -> None:
    assert SecretPolicy(root=tmp_path / "project").check(file(path))


def test_a_link_out_of_the_project_is_followed_before_deciding(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "outside").write_text("x")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "folder").symlink_to(tmp_path)
    policy = SecretPolicy(root=root)
    assert policy.check(file("link"))
    assert policy.check(file("folder/outside"))


def test_a_project_reached_through_a_link_is_still_the_project(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/secret").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "project")
    assert SecretPolicy(root=tmp_path / "link").check(file("secret")) is None


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert SecretPolicy(root=tmp_path).check(file("a"))


def test_globs_allow_files_outside(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    policy = SecretPolicy(root=root, outside_allow=(f"{tmp_path}/run/*", f"{tmp_path}/shared/*.txt"))
    assert policy.check(file(tmp_path / "run/okta")) is None
    assert policy.check(file("../shared/a.txt")) is None
    assert policy.check(file("../shared/a.key"))
    assert policy.check(file(tmp_path / "run/../other"))


def test_the_project_file_narrows_what_the_environment_allows(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    allowed = f" {tmp_path}/run/* ,, {tmp_path}/shared/*"
    policy = SecretPolicy(root=root, file_allow=("../run/okta*", "/etc/*"))
    assert policy.check(file("../run/okta"))
    policy = policy.with_allowed_files({"RECONCILER_ALLOWED_FILES": allowed})
    assert policy.check(file("../run/okta")) is None
    assert policy.check(file("../run/entra")) == (
        "the file is outside the project's folder, and secrets.file.allow does not permit it"
    )
    assert policy.check(file("/etc/passwd"))
    assert policy.check(file("inside")) is None


def test_system_files_are_refused_even_where_globs_allow_everything(tmp_path: Path) -> None:
    policy = SecretPolicy(root=tmp_path, outside_allow=("/*",))
    assert policy.check(file("/proc/self/environ"))
    assert policy.check(file("/sys/kernel/notes"))


@pytest.mark.parametrize("path", ["key", "a/../key", "./key", "link", "hard"])
def test_files_of_the_target_are_refused_by_whatever_name(tmp_path: Path, path: str) -> None:
    (tmp_path / "key").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    os.link(tmp_path / "key", tmp_path / "hard")
    policy = SecretPolicy(root=tmp_path, outside_allow=("/*",), own=(parse_reference("${file:key}"),))
    assert (
        policy.check(file(path))
        == "the file holds a credential of the reconciler itself and cannot be used in a manifest"
    )


@pytest.mark.parametrize("name", ["GITLAB_TOKEN", "CI_JOB_TOKEN", "CI_REPOSITORY_URL", "GH_TOKEN"])
def test_what_a_ci_job_logs_in_with_is_the_tools_own(tmp_path: Path, name: str) -> None:
    assert SecretPolicy(root=tmp_path).check(env(name))


def test_every_variable_that_publishing_reads_is_the_tools_own() -> None:
    text = (Path(__file__).parents[2] / "reconciler/cli/publish.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"([A-Z_]+_TOKEN)"', text))
    assert read
    assert read <= OWN_VARIABLES


@pytest.mark.parametrize(
    "path", [".git/config", "a/.git/config", ".GIT/config", "a/../.git/config", ".git", "link", ".netrc"]
)
def test_where_git_keeps_tokens_nothing_is_read(tmp_path: Path, path: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / ".git/config")
    policy = SecretPolicy(root=tmp_path, outside_allow=("/*",))
    assert (
        policy.check(file(path)) == "Git keeps its own credentials there, which cannot be used in a manifest"
    )


def test_git_folders_outside_are_closed_too_and_similar_names_open(tmp_path: Path) -> None:
    policy = SecretPolicy(root=tmp_path / "project", outside_allow=("/*",))
    assert policy.check(file("../other/.git/config"))
    assert policy.check(file(".github/secret")) is None


def test_a_project_below_a_folder_called_git_can_read_its_own_files(tmp_path: Path) -> None:
    assert SecretPolicy(root=tmp_path / ".git/project").check(file("secret")) is None
