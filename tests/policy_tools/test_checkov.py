"""Checkov, made for Terraform's plans, reads ours as they are saved and holds a rule against them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import skip_or_fail

ROOT = Path(__file__).parent.parent.parent
CHECKOV = Path(sys.prefix) / "checkov/bin/checkov"
RULES = ROOT / "examples/policy/checkov"


@pytest.mark.parametrize(
    ("case", "passed", "failed"),
    [
        ("create-full", ["acme/okta"], []),
        ("update-issuer-declared-urls", [], ["acme/okta"]),
        ("organizations-in-order", ["acme/okta"], ["zeta/z", "globex/entra"]),
    ],
)
def test_a_rule_is_held_against_what_there_will_be(case: str, passed: list[str], failed: list[str]) -> None:
    report = check(ROOT / "tests/plans" / case / "plan.json")
    assert report["summary"]["parsing_errors"] == 0
    results = report["results"]
    assert [check["resource"] for check in results["passed_checks"]] == passed
    assert [check["resource"] for check in results["failed_checks"]] == failed


def check(plan: Path) -> Any:
    if not CHECKOV.exists():
        skip_or_fail("needs checkov: make policies")
    words = ("--framework", "terraform_plan", "--check", "CKV2_OIDC_1", "--skip-download", "--output", "json")
    done = subprocess.run(
        [CHECKOV, "--file", plan, "--external-checks-dir", RULES, *words],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LOG_LEVEL": "ERROR"},
    )
    return json.loads(done.stdout)
