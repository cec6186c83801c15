#!/usr/bin/env python3
"""Installs the reconciler for the later steps of a job, from files that are locked by hash.

Runs in a step without secrets, and outside of the checkout, so that no file of a pull request is imported.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

VERSION: Final = "0.1.0"
NAME: Final = "oidc-reconciler"
SECRET_NAMES: Final = (
    "STYTCH_SECRET",
    "STYTCH_SESSION_*",
    "*_CLIENT_SECRET",
    "AGE_IDENTITY",
    "VAULT_TOKEN",
    "VAULT_SECRET_ID",
    "VAULT_JWT",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
)
ACTION: Final = Path(__file__).resolve().parent
EXTRAS: Final = ("age", "vault", "aws")


def main() -> int:
    """Install, and write down the command for the later steps."""
    temporary = Path(os.environ["RUNNER_TEMP"]).resolve()
    if names := visible_secrets():
        return fail(f"the install step must not see {', '.join(names)}: set `env:` in the step that needs it")
    if unknown := set(extras()).difference(EXTRAS):
        return fail(f"unknown extras: {', '.join(sorted(unknown))}; known: {', '.join(EXTRAS)}")
    command = preinstalled(temporary) or install(temporary / f"reconciler-{VERSION}", temporary)
    if not command:
        return fail(
            "package.lock is missing: it comes with released versions; run `reconciler init` of a release, "
            f"or provide reconciler {VERSION} on the runner's PATH"
        )
    (temporary / "reconciler-command.json").write_text(json.dumps(command), encoding="utf-8")
    return 0


def visible_secrets() -> list[str]:
    """Return the names of variables that hold secrets."""
    names = (name for name, value in os.environ.items() if value)
    return sorted(
        name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in SECRET_NAMES)
    )


def extras() -> list[str]:
    """Return the extras that the input names."""
    return os.environ.get("EXTRAS", "").split()


def preinstalled(temporary: Path) -> list[str]:
    """Return the reconciler of the runner's image, if it has this version and is not part of the checkout."""
    executable = Path(shutil.which("reconciler") or "/").resolve()
    workspace = Path(os.environ["GITHUB_WORKSPACE"]).resolve()
    if not executable.is_file() or executable.is_relative_to(workspace):
        return []
    process = subprocess.run([executable, "--version"], cwd=temporary, capture_output=True, check=False)  # noqa: S603 - no shell
    return [str(executable)] if process.stdout.decode().strip() == f"reconciler {VERSION}" else []


def install(home: Path, temporary: Path) -> list[str]:
    """Install into a new virtual environment: the locked dependencies, then the reconciler itself."""
    source = package_source()
    if not source:
        return []
    python = str(home / "bin/python")
    pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps"]
    locks = ["requirements.lock", *(f"requirements-{extra}.lock" for extra in dict.fromkeys(extras()))]
    locked = ["--require-hashes", "--only-binary", ":all:"]
    locked += [word for lock in locks for word in ("--requirement", str(ACTION / lock))]
    for words in (
        [sys.executable, "-I", "-m", "venv", "--clear", str(home)],
        [*pip, *locked],
        [*pip, "--no-build-isolation", *source],
        [python, "-I", "-m", "pip", "--disable-pip-version-check", "check"],
    ):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        subprocess.run(words, cwd=temporary, env=environment, check=True)  # noqa: S603 - no shell
    return [python, "-I", "-m", "reconciler"]


def package_source() -> list[str]:
    """Return pip's arguments for the reconciler: the locked release, or the checkout of this action."""
    lock = ACTION / "package.lock"
    if lock.exists():
        return ["--require-hashes", "--no-binary", NAME, "--requirement", str(lock)]
    root = ACTION.parents[2]
    is_own = (root / "reconciler/__main__.py").exists() and (root / "pyproject.toml").exists()
    return [str(root)] if is_own else []


def fail(message: str) -> int:
    """Report an error as an annotation."""
    sys.stdout.write(f"::error::{message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
