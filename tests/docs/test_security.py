"""Checks that the page on security names tests that exist."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, read


def test_the_tests_of_each_guarantee_exist() -> None:
    table = read(ROOT / "docs/security.md").partition("## What is guaranteed")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 14
    for row in rows:
        tests = re.findall(r"`(tests/[\w/.]+)`", row)
        assert tests, row
        assert all((ROOT / name).exists() for name in tests), row
