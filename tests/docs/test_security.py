"""Checks that the page on security names tests that exist, and all tests of threats."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, read

PAGE = read(ROOT / "docs/security.md")
TABLE = PAGE.partition("## What is guaranteed")[2].partition("\n## ")[0]
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]


def named_tests(text: str) -> list[str]:
    return re.findall(r"`(tests/[\w/.]+)`", text)


def test_the_named_tests_each_guarantee_exist() -> None:
    assert len(ROWS) >= 20
    for row in ROWS:
        tests = named_tests(row)
        assert tests, row
        assert all((ROOT / name).exists() for name in tests), row
        assert any(list((ROOT / name).rglob("test_*.py")) or name.endswith(".py") for name in tests), row


def test_every_test_of_a_threat_belongs_to_a_guarantee() -> None:
    """So that nothing is guaranteed by a test that the page does not name."""
    files = {f"tests/threats/{path.name}" for path in (ROOT / "tests/threats").glob("test_*.py")}
    assert files - set(named_tests(TABLE)) == set()


SECTIONS = (
    "Credentials go only to the API",
    "Files of a pull request run nothing",
    "Releases and installation",
)


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_guarantee_with_a_section_of_its_own_is_in_the_table(heading: str) -> None:
    assert f"\n## {heading}\n" in PAGE
    link = f"(#{heading.lower().replace(' ', '-')})"
    assert any(link in row for row in ROWS)


@pytest.mark.parametrize(
    "subject",
    [
        "`guard-lowered`",
        "withdraws",
        "digest of the manifests",
        "any encoding",
        "already live",
        "a folder that cannot",
    ],
)
def test_what_holds_is_described(subject: str) -> None:
    assert any(subject in row for row in ROWS), subject
