"""Runs the pre-commit hooks: they run where manifests change, and stop invalid ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler import __version__

if TYPE_CHECKING:
    from tests.workflows.conftest import Repository

ROOT = Path(__file__).parent.parent.parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
EXAMPLE = ROOT / "examples/pre-commit/.pre-commit-config.yaml"


@pytest.mark.parametrize(("kind", "file"), [("manifest", HOOKS), ("config", EXAMPLE)])
def test_pre_commit_understands(kind: str, file: Path) -> None:
    process = run(ROOT, f"validate-{kind}", str(file))
    assert process.returncode == 0, process.stdout


def test_the_example_has_the_hook_of_this_version() -> None:
    (hook,) = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert hook["additional_dependencies"] == [f"oidc-reconciler=={__version__}"]
    known = validate_hook()
    shared = ("id", "name", "entry", "language", "files", "pass_filenames")
    assert {name: hook[name] for name in shared} == {name: known[name] for name in shared}


def test_a_commit_of_a_broken_manifest_is_stopped(repository: Repository, tmp_path: Path) -> None:
    """The hook runs in the tests' environment instead of its own, so that nothing is downloaded."""
    hook = validate_hook() | {"language": "system"}
    config = {"repos": [{"repo": "local", "hooks": [hook]}]}
    repository.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    repository.git("add", ".pre-commit-config.yaml")
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home")}
    untouched = run(repository.folder, "run", **home)
    assert "(no files to check)Skipped" in untouched.stdout
    repository.replace("organizations/acme.yaml", "issuer: https", "issuer: http")
    repository.git("add", "organizations")
    stopped = run(repository.folder, "run", **home)
    assert stopped.returncode == 1
    assert "organizations/acme.yaml:5:" in stopped.stdout
    repository.replace("organizations/acme.yaml", "issuer: http", "issuer: https")
    repository.git("add", "organizations")
    passed = run(repository.folder, "run", "--all-files", **home)
    assert passed.returncode == 0, passed.stdout


def validate_hook() -> dict[str, Any]:
    hooks: list[dict[str, Any]] = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    return next(hook for hook in hooks if hook["id"] == "reconciler-validate")


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", *words],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
