"""Checks how the action installs: from its lock, isolated, outside of the checkout, without secrets."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from reconciler import __version__
from tests.workflows.locked import ROOT, action_lock, extra_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.workflows.conftest import Repository
    from tests.workflows.runner import Runner, StepResult

FOLDER = ROOT / ".github/actions/reconciler"


def test_the_lock_holds_what_the_package_needs_with_hashes(
    matches_golden: Callable[[str, Path], None],
) -> None:
    text = action_lock()
    matches_golden(text, FOLDER / "requirements.lock")
    packages = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    assert {"httpx", "pydantic", "pyyaml", "certifi", "hatchling"} <= set(packages)
    assert not {"pytest", "starlette"} & set(packages)
    assert len(re.findall(r"^[\w.-]+==.* \\\n    --hash=sha256:", text, re.MULTILINE)) == len(packages)


@pytest.mark.parametrize(("extra", "library"), [("age", "pyrage"), ("vault", "hvac"), ("aws", "boto3")])
def test_the_lock_of_an_extra_holds_what_it_adds(
    matches_golden: Callable[[str, Path], None], extra: str, library: str
) -> None:
    text = extra_lock(extra)
    matches_golden(text, FOLDER / f"requirements-{extra}.lock")
    packages = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    assert library in packages
    assert not {"httpx", "certifi"} & set(packages), "what the package needs anyway is in its own lock"
    assert len(re.findall(r"^[\w.-]+==.* \\\n    --hash=sha256:", text, re.MULTILINE)) == len(packages)


def test_it_installs_the_extras_that_are_named(
    runner: Runner, repository: Repository, tmp_path: Path
) -> None:
    repository.write(
        ".github/actions/reconciler/package.lock", f"oidc-reconciler=={__version__} --hash=sha256:00"
    )
    result, log = install_with_stub(runner, tmp_path, extras="age aws age")
    folder = runner.workspace / ".github/actions/reconciler"
    assert result.code == 0, result.out
    assert log[2].endswith(
        f"--requirement {folder}/requirements.lock --requirement {folder}/requirements-age.lock "
        f"--requirement {folder}/requirements-aws.lock"
    )
    for lock in folder.glob("requirements*.lock"):
        assert lock.read_bytes() == (FOLDER / lock.name).read_bytes()


def test_an_unknown_extra_is_refused(runner: Runner) -> None:
    result = runner.run_action({"command": "install", "extras": "age ../../x"})
    assert result.code == 1
    assert "unknown extras: ../../x; known: age, vault, aws" in result.out


def test_it_installs_the_version_it_came_with() -> None:
    assert f'VERSION: Final = "{__version__}"' in (FOLDER / "install.py").read_text(encoding="utf-8")


def test_it_installs_from_the_locks_and_outside_of_the_checkout(
    runner: Runner, repository: Repository, tmp_path: Path
) -> None:
    repository.write(
        ".github/actions/reconciler/package.lock", f"oidc-reconciler=={__version__} --hash=sha256:00"
    )
    result, log = install_with_stub(runner, tmp_path)
    home = runner.temporary / f"reconciler-{__version__}"
    folder = runner.workspace / ".github/actions/reconciler"
    pip = "-I -m pip --disable-pip-version-check"
    assert result.code == 0, result.out
    assert log == [
        f"{runner.workspace}: -I {folder}/install.py",
        f"{runner.temporary}: -I -m venv --clear {home}",
        f"{runner.temporary}: {pip} --quiet install --no-deps "
        f"--require-hashes --only-binary :all: --requirement {folder}/requirements.lock",
        f"{runner.temporary}: {pip} --quiet install --no-deps --no-build-isolation "
        f"--require-hashes --no-binary oidc-reconciler --requirement {folder}/package.lock",
        f"{runner.temporary}: {pip} check",
    ]
    command = json.loads((runner.temporary / "reconciler-command.json").read_text(encoding="utf-8"))
    assert command == [f"{home}/bin/python", "-I", "-m", "reconciler"]


def test_without_the_hash_of_the_package_nothing_is_installed(runner: Runner, tmp_path: Path) -> None:
    result, log = install_with_stub(runner, tmp_path)
    assert result.code == 1
    assert "package.lock is missing" in result.out
    assert len(log) == 1, "only the script itself has run"


@pytest.mark.parametrize(
    "name",
    [
        "STYTCH_SECRET",
        "STYTCH_SESSION_JWT",
        "ACME_CLIENT_SECRET",
        "AGE_IDENTITY",
        "VAULT_TOKEN",
        "VAULT_SECRET_ID",
        "VAULT_JWT",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GITHUB_TOKEN",
    ],
)
def test_the_install_step_refuses_to_see_a_secret(runner: Runner, name: str) -> None:
    result = runner.run_action({"command": "install"}, {name: "canary-5b0c"})
    assert result.code == 1
    assert f"the install step must not see {name}" in result.out
    assert "canary-5b0c" not in result.out


def test_a_command_before_the_install_step_is_refused(runner: Runner) -> None:
    (runner.temporary / "reconciler-command.json").unlink()
    result = runner.run_action({"command": "validate"})
    assert result.code == 1
    assert "add a step with `command: install` before this one" in result.out


@pytest.mark.parametrize("name", ["json.py", "venv/__init__.py", "pip/__init__.py", "reconciler/__main__.py"])
def test_no_module_of_the_checkout_is_imported(runner: Runner, repository: Repository, name: str) -> None:
    repository.write(name, "raise SystemExit('imported from the checkout')")
    for command in ("install", "validate"):
        result = runner.run_action({"command": command})
        assert result.code == 0, result.out
        assert "imported from the checkout" not in result.out


def test_a_reconciler_in_the_checkout_is_not_used(
    runner: Runner, repository: Repository, tmp_path: Path
) -> None:
    repository.write("bin/reconciler", f"#!/bin/sh\necho reconciler {__version__}\n")
    (repository.folder / "bin/reconciler").chmod(0o755)
    result, _ = install_with_stub(runner, tmp_path, f"{repository.folder}/bin:")
    assert result.code == 1
    assert "package.lock is missing" in result.out


def install_with_stub(
    runner: Runner, tmp_path: Path, before: str = "", folder: Path | None = None, *, extras: str = ""
) -> tuple[StepResult, list[str]]:
    """Run the install step with a Python that logs its calls; return the calls with their folders."""
    log, stub = tmp_path / "log", tmp_path / "stubs/python"
    stub.parent.mkdir()
    stub.write_text(_STUB.format(log=log), encoding="utf-8")
    stub.chmod(0o755)
    variables = {"PATH": f"{before}{stub.parent}:/usr/bin:/bin"}
    result = runner.run_action({"command": "install", "extras": extras}, variables, folder)
    return result, log.read_text(encoding="utf-8").splitlines()


_STUB = """#!/bin/bash
# logs its folder and its arguments, runs the install script as itself, and pretends to create environments
echo "$PWD: $*" >> {log}
code='import runpy, sys; sys.executable, path = sys.argv[1:]; runpy.run_path(path, run_name="__main__")'
if [[ "$2" == *install.py ]]; then exec python3 -I -c "$code" "$0" "$2"; fi
if [[ "$2 $3" == "-m venv" ]]; then mkdir -p "$5/bin" && cp "$0" "$5/bin/python"; fi
"""
