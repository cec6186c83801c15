"""Tests without their programs are skipped with an install hint; in CI they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MISSING_FOR_THE_BROWSER = (
    "apt-get install chromium chromium-driver"
    if (ROOT / "tests" / "clients" / "node_modules").exists()
    else "needs Stytch's browser SDK: npm ci --prefix tests/clients"
)
"""The npm packages are checked before the browser."""


@pytest.mark.parametrize(("environment", "code"), [({}, 0), ({"LEAVE_NOTHING_OUT": "1"}, 1)])
def test_a_machine_without_node_and_chromium(environment: dict[str, str], code: int, tmp_path: Path) -> None:
    test = ("tests/clients/test_clients.py", "-k", "from_create_to_delete")
    inherited = {name: value for name, value in os.environ.items() if name != "LEAVE_NOTHING_OUT"}
    completed = subprocess.run(
        (sys.executable, "-m", "pytest", *test, "-q", "-p", "no:cacheprovider"),
        cwd=ROOT,
        env={**inherited, "PATH": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == code, completed.stdout
    assert (
        "needs Node.js 20 or later, and Stytch's SDKs for it: npm ci --prefix tests/clients"
        in completed.stdout
    )
    assert MISSING_FOR_THE_BROWSER in completed.stdout
    assert "2 passed" in completed.stdout
