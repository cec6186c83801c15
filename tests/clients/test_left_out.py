"""What a machine cannot run is left out visibly, with how to get it; in the gate it fails instead."""

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
"""On a machine as it comes, the packages of npm are missed before the browser is."""


@pytest.mark.parametrize(("environment", "code"), [({}, 0), ({"LEAVE_NOTHING_OUT": "1"}, 1)])
def test_a_machine_without_node_and_chromium(environment: dict[str, str], code: int, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "pytest", "tests/clients/test_clients.py", "-k", "whole_life", "-q")
    kept = {name: value for name, value in os.environ.items() if name != "LEAVE_NOTHING_OUT"}
    done = subprocess.run(
        (*command, "-p", "no:cacheprovider"),
        cwd=ROOT,
        env={**kept, "PATH": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert "needs Node.js 20 or later, and Stytch's SDKs for it: npm ci --prefix tests/clients" in done.stdout
    assert MISSING_FOR_THE_BROWSER in done.stdout
    assert "2 passed" in done.stdout
