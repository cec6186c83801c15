"""Which secrets a pull request can reach: variables by name, and files by the environment's leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.workplace import Workplace


@pytest.fixture
def outside(connected: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A secret outside of the project, that the manifest refers to."""
    path = tmp_path_factory.mktemp("run") / "okta"
    path.write_text("hidden-outside-value")
    connected.declare("acme", client_secret=f"${{file:{path}}}")
    return path


@pytest.mark.parametrize(
    "project", ["", "secrets: {file: {allow: ['/*']}}", "secrets: {file: {allow: ['**']}}"]
)
def test_no_file_outside_is_read_by_leave_of_the_project_file(
    connected: Workplace, outside: Path, project: str
) -> None:
    """Nothing outside the project is read; only `file:` secrets may be allowed, by the environment."""
    connected.write("reconciler.yaml", f"version: 1\n{project}\n")
    for verb in ("validate", "plan", "apply --auto-approve"):
        run = connected.run(*verb.split())
        assert run.code == 1
        assert "RECONCILER_ALLOWED_FILES" in run.output
    assert not connected.live("acme")


def test_the_environment_allows_files_outside(connected: Workplace, outside: Path) -> None:
    """Whoever holds the credentials decides, with globs over absolute paths."""
    connected.setenv("RECONCILER_ALLOWED_FILES", f"/nowhere/*,{outside.parent}/*")
    assert connected.run("apply", "--auto-approve").code == 0
    (connection,) = connected.live("acme")
    assert connection["client_secret"] == "hidden-outside-value"


def test_the_project_file_can_only_narrow(connected: Workplace, outside: Path) -> None:
    """What the environment allows is refused where the project file allows less."""
    connected.setenv("RECONCILER_ALLOWED_FILES", f"{outside.parent}/*")
    connected.write("reconciler.yaml", "secrets: {file: {allow: [/nowhere/*]}}\n")
    run = connected.run("plan")
    assert run.code == 1
    assert "secrets.file.allow" in run.err


@pytest.mark.parametrize("glob", ["*", "okta", "../*", "run/*"])
def test_a_relative_glob_allows_nothing(connected: Workplace, outside: Path, glob: str) -> None:
    """Globs are over absolute paths."""
    connected.setenv("RECONCILER_ALLOWED_FILES", glob)
    run = connected.run("plan")
    assert run.code == 1
    assert str(outside) in run.err


@pytest.mark.parametrize("project", [None, "version: 1\n", "secrets: {file: {allow: []}}\n"])
def test_variables_are_named_as_client_secrets_by_default(connected: Workplace, project: str | None) -> None:
    """One customer's secret stays theirs: `*_CLIENT_SECRET` by default, with or without a project file."""
    if project is None:
        (connected.root / "reconciler.yaml").unlink()
    else:
        connected.write("reconciler.yaml", project)
    connected.setenv("DATABASE_PASSWORD", "hidden-database-value")
    connected.declare("acme", client_secret="${env:DATABASE_PASSWORD}")
    run = connected.run("validate")
    assert run.code == 1
    assert "*_CLIENT_SECRET" in run.output
    assert "secrets.env.allow" in run.output
    assert "DATABASE_PASSWORD" in run.output


def test_the_project_file_allows_other_variables(connected: Workplace) -> None:
    """The error says how: in `secrets.env.allow`."""
    connected.write("reconciler.yaml", "secrets: {env: {allow: [OKTA_*]}}\n")
    connected.setenv("OKTA_KEY", "hidden-okta-value")
    connected.declare("acme", client_secret="${env:OKTA_KEY}")
    assert connected.run("apply", "--auto-approve").code == 0
