"""Installs the other programs, each into its own virtual environment."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.measure import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CACHE: Final = ROOT / "benchmarks" / ".cache"

PACKAGES: Final = {"octodns": ("octodns>=1.13,<2",), "stytch-sdk": ("stytch>=15,<16", "pyyaml>=6,<7")}
"""Packages of each environment."""


def python_of(name: str) -> Path:
    """Return the interpreter of an environment, which is created if missing."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        CACHE.mkdir(exist_ok=True)
        (CACHE / ".gitignore").write_text("*\n", encoding="utf-8")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES[name]], check=True)
        ready.touch()
    return python


def version_in(name: str, package: str) -> str:
    """Return the version of a package in an environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    completed = subprocess.run([python_of(name), "-c", code], capture_output=True, text=True, check=True)
    return completed.stdout.strip()
